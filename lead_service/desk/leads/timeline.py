"""A lead's timeline in words, newest first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from ...assess.models import Assessment
from ...book.models import Booking
from ...emails.message import EmailKind
from ...formats import moment, short_date
from ...leads.contact_details import LABELS
from ...leads.models import EventKind, Lead, LeadEvent, Stage
from ...publishing.site import Published


@dataclass(frozen=True)
class Line:
    """One line: `quote` is a person's own text, `whom` a name, `by` the acting member."""

    at: datetime
    text: str
    quote: str = ""
    whom: str = ""
    by: str = ""


@dataclass(frozen=True)
class Around:
    """The context of a line beside its event."""

    events: Sequence[LeadEvent]
    calls: Mapping[int, Booking]
    members: Mapping[int, str]
    hosts: Mapping[int, str]
    zone: str

    def moment(self, instant: datetime) -> str:
        """Write an instant in the zone; only a file repeats the zone's name."""
        return moment(instant, self.zone) + (" UTC" if self.zone == "UTC" else "")

    def host_of(self, event: LeadEvent) -> str:
        """Name the host whom a change gave the call to; empty if it stayed with its host."""
        return self.hosts.get(event.detail.get("to_host", 0), "")

    def first_start(self, call: Booking) -> datetime:
        """Return the start that a call was booked for, before it was moved."""
        for event in self.events:
            if event.kind == EventKind.CALL_MOVED and event.detail.get("booking") == call.id:
                return datetime.fromisoformat(event.detail["before"])
        return call.starts_at


def lines(
    lead: Lead,
    calls: Iterable[Booking],
    assessments: Iterable[Assessment],
    members: Mapping[int, str],
    hosts: Mapping[int, str],
    published: Published,
    zone: str,
) -> list[Line]:
    """Return the timeline, with every time in `zone`."""
    found: list[Line] = []
    for assessment in assessments:
        title = published.title_of(assessment.came_from)
        start = "Started the self-assessment" + (", coming from the article" if title else "")
        found.append(Line(assessment.started_at, start, quote=title))
        if assessment.completed_at:
            found.append(Line(assessment.completed_at, "Completed the self-assessment"))
    around = Around(lead.events, {call.id: call for call in calls}, members, hosts, zone)
    found += [_of_event(event, around) for event in lead.events]
    found += [
        Line(note.at, "Note", note.text, by=members.get(note.member_id or 0, ""))
        for note in reversed(lead.notes)
    ]
    # Events of the same second are in the order of their ids.
    return sorted(found, key=lambda line: line.at)[::-1]


def _of_event(event: LeadEvent, around: Around) -> Line:
    detail, names = event.detail, around.members
    typed = next((detail[name] for name in ("text", "note", "action") if detail.get(name)), "")
    whom = ""
    if event.kind == EventKind.OWNER_CHANGED:
        whom = names.get(detail.get("owner") or 0, "nobody")
    text = event.kind.label + _more(event, around)
    return Line(event.at, text, typed, whom, names.get(detail.get("member") or 0, ""))


def _more(event: LeadEvent, around: Around) -> str:
    """Return the details that continue the event's words."""
    detail, call = event.detail, around.calls.get(event.detail.get("booking", 0))
    match event.kind:
        case EventKind.CALL_BOOKED if call:
            return f" for {around.moment(around.first_start(call))}"
        case EventKind.CALL_MOVED if call:
            before, start = (datetime.fromisoformat(detail[name]) for name in ("before", "start"))
            host = f", with {name}" if (name := around.host_of(event)) else ""
            return f" from {around.moment(before)} to {around.moment(start)}{host}"
        case EventKind.CALL_REASSIGNED:
            return f" to {around.host_of(event) or 'another host'}"
        case (
            EventKind.CALL_CANCELLED
            | EventKind.CALL_ATTENDED
            | EventKind.CALL_MISSED
            | EventKind.CALL_UNMARKED
        ) if call:
            return f": {around.moment(call.starts_at)}"
        case EventKind.WANTED_START if detail.get("start"):
            return f": {around.moment(datetime.fromisoformat(detail['start']))}"
        case EventKind.STAGE_CHANGED:
            return f": {Stage(detail['from']).label} → {Stage(detail['to']).label}"
        case EventKind.NEXT_ACTION_CHANGED if detail.get("on"):
            return f", for {short_date(date.fromisoformat(detail['on']))}"
        case EventKind.DETAILS_CHANGED:
            return ": " + ", ".join(LABELS[name].lower() for name in detail["fields"])
    which = f" ({EmailKind(detail['what']).label})" if detail.get("what") else ""
    return which + (f": {detail['reason']}" if detail.get("reason") else "")
