"""A lead's timeline: everything that happened, in words, the newest first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ..assess.models import Assessment
from ..book.models import Booking
from ..leads import LeadEvent
from .words import moment

WORDS = {
    "call_booked": "Booked a call",
    "call_moved": "The call was moved",
    "call_reassigned": "The call was given to another host",
    "call_cancelled": "The call was cancelled",
    "call_held": "The call took place",
    "call_missed": "The call did not take place",
    "address_corrected": "Corrected the address of the invitation",
    "wanted_start": "Wanted a time that had just been taken",
    "wrote": "Wrote to us",
    "result_mailed": "Had the result mailed",
    "released": "Released: no longer suspected to be automated",
    "mail_delivered": "A mail was delivered",
    "mail_bounced": "A mail came back",
    "mail_dropped": "A mail was not delivered",
    "mail_reported": "Called a mail of ours spam",
    "note": "Wrote a note",
    "stage_changed": "Changed the stage",
    "owner_changed": "Changed the owner",
    "next_action_changed": "Changed the next action",
    "details_changed": "Corrected the contact details",
}


@dataclass(frozen=True)
class Line:
    """One line; `quote` is what the visitor typed, `by` the member who did it."""

    at: datetime
    text: str
    quote: str = ""
    by: str = ""


def lines(
    events: Iterable[LeadEvent],
    calls: Iterable[Booking],
    assessments: Iterable[Assessment],
    members: Mapping[int, str],
    zone: str,
) -> list[Line]:
    """Return the timeline; a call is written in its host's zone, all else in `zone`."""
    booked = {call.id: call for call in calls}
    found: list[Line] = []
    for assessment in assessments:
        found.append(Line(assessment.started_at, "Started the self-assessment"))
        if assessment.completed_at:
            found.append(Line(assessment.completed_at, "Completed the self-assessment"))
    found += [_of_event(event, booked, members, zone) for event in events]
    # Of one second, what was written later happened later.
    return sorted(found, key=lambda line: line.at)[::-1]


def _of_event(
    event: LeadEvent, booked: Mapping[int, Booking], members: Mapping[int, str], zone: str
) -> Line:
    text = WORDS.get(event.kind, event.kind.replace("_", " ").capitalize())
    call = booked.get(event.detail.get("booking", 0))
    if call and event.kind == "call_booked":
        text += f" for {moment(call.starts_at, call.host_zone)}"
    elif event.kind == "wanted_start" and (start := event.detail.get("start")):
        text += f": {moment(datetime.fromisoformat(start), zone)}"
    elif reason := event.detail.get("reason"):
        text += f": {reason}"
    return Line(
        event.at, text, event.detail.get("text", ""), members.get(event.detail.get("member", 0), "")
    )
