"""A lead's timeline: everything that happened, in words, the newest first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from ..assess.models import Assessment
from ..book.models import Booking
from ..leads import Lead, LeadEvent
from ..published import Published
from .words import STAGES, day, kind_of_mail, moment

WORDS = {
    "call_booked": "Booked a call",
    "call_moved": "The call was moved",
    "call_reassigned": "The call was given to another host",
    "call_cancelled": "The call was cancelled",
    "call_held": "The call took place",
    "call_missed": "The call did not take place",
    "call_unmarked": "What became of the call is open again",
    "address_corrected": "Corrected the address of the invitation",
    "wanted_start": "Wanted a time that had just been taken",
    "wrote": "Wrote to us",
    "result_mailed": "Had the result mailed",
    "released": "Released: no longer suspected to be automated",
    "mail_delivered": "A mail was delivered",
    "mail_bounced": "A mail came back",
    "mail_dropped": "A mail was not delivered",
    "mail_reported": "Called a mail of ours spam",
    "stage_changed": "Changed the stage",
    "owner_changed": "Gave the lead to",
    "next_action_changed": "Changed the next action",
    "details_changed": "Corrected the contact details",
}


@dataclass(frozen=True)
class Line:
    """One line: `quote` is what somebody typed, `whom` a name, `by` the member who did it."""

    at: datetime
    text: str
    quote: str = ""
    whom: str = ""
    by: str = ""


@dataclass(frozen=True)
class Around:
    """What a line needs to know besides its event."""

    events: Sequence[LeadEvent]
    calls: Mapping[int, Booking]
    members: Mapping[int, str]
    zone: str

    def first_start(self, call: Booking) -> datetime:
        """Return the start that a call was booked for, before it was moved."""
        for event in self.events:
            if event.kind == "call_moved" and event.detail.get("booking") == call.id:
                return datetime.fromisoformat(event.detail["before"])
        return call.starts_at


def lines(
    lead: Lead,
    calls: Iterable[Booking],
    assessments: Iterable[Assessment],
    members: Mapping[int, str],
    published: Published,
    zone: str,
) -> list[Line]:
    """Return the timeline; a call is written in its host's zone, all else in `zone`."""
    found: list[Line] = []
    for assessment in assessments:
        title = published.title_of(assessment.came_from)
        start = "Started the self-assessment" + (", coming from the article" if title else "")
        found.append(Line(assessment.started_at, start, quote=title))
        if assessment.completed_at:
            found.append(Line(assessment.completed_at, "Completed the self-assessment"))
    around = Around(lead.events, {call.id: call for call in calls}, members, zone)
    found += [_of_event(event, around) for event in lead.events]
    found += [
        Line(note.at, "Note", note.text, by=members.get(note.member_id or 0, ""))
        for note in reversed(lead.notes)
    ]
    # Of one second, what was written later happened later.
    return sorted(found, key=lambda line: line.at)[::-1]


def _of_event(event: LeadEvent, around: Around) -> Line:
    detail, names = event.detail, around.members
    typed = next((detail[name] for name in ("text", "note", "action") if detail.get(name)), "")
    whom = ""
    if event.kind == "owner_changed":
        whom = names.get(detail.get("owner") or 0, "nobody")
    text = WORDS.get(event.kind, event.kind.replace("_", " ").capitalize())
    text += _more(event, around)
    return Line(event.at, text, typed, whom, names.get(detail.get("member") or 0, ""))


def _more(event: LeadEvent, around: Around) -> str:
    """Say when, what or why, in continuation of the event's words."""
    detail, call = event.detail, around.calls.get(event.detail.get("booking", 0))
    match event.kind:
        case "call_booked" if call:
            return f" for {moment(around.first_start(call), call.host_zone)}"
        case "call_moved" if call:
            before, start = (datetime.fromisoformat(detail[name]) for name in ("before", "start"))
            return f" from {moment(before, call.host_zone)} to {moment(start, call.host_zone)}"
        case "call_cancelled" | "call_held" | "call_missed" | "call_unmarked" if call:
            return f": {moment(call.starts_at, call.host_zone)}"
        case "wanted_start" if detail.get("start"):
            return f": {moment(datetime.fromisoformat(detail['start']), around.zone)}"
        case "stage_changed":
            return f": {STAGES[detail['from']]} → {STAGES[detail['to']]}"
        case "next_action_changed" if detail.get("on"):
            return f", for {day(date.fromisoformat(detail['on']))}"
        case "details_changed":
            return f": {', '.join(detail['fields'])}"
    which = f" ({kind_of_mail(detail['what'])})" if detail.get("what") else ""
    return which + (f": {detail['reason']}" if detail.get("reason") else "")
