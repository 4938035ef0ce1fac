"""Two calendar programs, each reading invitations by another library."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import icalendar
import vobject

from lead_service.emails.message import Message


@dataclass(frozen=True)
class Entry:
    """An entry of a calendar file, in the same form for every reader; instants are aware."""

    method: str
    uid: str
    sequence: int
    status: str
    start: datetime
    end: datetime
    summary: str
    location: str
    description: str
    organizer: str
    attendee: str
    asks: bool  # for a reply
    alarms: int


def by_icalendar(data: bytes) -> Entry:
    calendar = icalendar.Calendar.from_ical(data)
    (event,) = calendar.walk("VEVENT")
    return Entry(
        method=str(calendar["METHOD"]),
        uid=str(event["UID"]),
        sequence=int(event.get("SEQUENCE")),
        status=str(event["STATUS"]),
        start=event.decoded("DTSTART"),
        end=event.decoded("DTEND"),
        summary=str(event["SUMMARY"]),
        location=str(event["LOCATION"]),
        description=str(event["DESCRIPTION"]),
        organizer=str(event["ORGANIZER"]).removeprefix("mailto:"),
        attendee=str(event["ATTENDEE"]).removeprefix("mailto:"),
        asks=event["ATTENDEE"].params.get("RSVP") == "TRUE",
        alarms=len(event.walk("VALARM")),
    )


def by_vobject(data: bytes) -> Entry:
    calendar = vobject.readOne(data.decode())
    event = calendar.vevent
    assert len(event.attendee_list) == 1
    return Entry(
        method=calendar.method.value,
        uid=event.uid.value,
        sequence=int(event.sequence.value),
        status=event.status.value,
        start=event.dtstart.value,
        end=event.dtend.value,
        summary=event.summary.value,
        location=event.location.value,
        description=event.description.value,
        organizer=event.organizer.value.removeprefix("mailto:"),
        attendee=event.attendee.value.removeprefix("mailto:"),
        asks=event.attendee.params.get("RSVP") == ["TRUE"],
        alarms=len(event.contents.get("valarm", [])),
    )


READERS = (by_icalendar, by_vobject)


@dataclass
class Mailbox:
    """One person's calendar, kept by their program from emails only (RFC 5546)."""

    address: str
    read: Callable[[bytes], Entry]
    entries: dict[str, Entry] = field(default_factory=dict)

    def receive(self, message: Message) -> None:
        """Process an email's invitation; ignore an older SEQUENCE than the known one."""
        for file in message.attachments:
            entry = self.read(file.content)
            assert file.content_type == f"text/calendar;method={entry.method}"
            assert entry.attendee == self.address == message.to
            known = self.entries.get(entry.uid)
            if known is None or entry.sequence > known.sequence:
                self.entries[entry.uid] = entry

    @property
    def shown(self) -> list[Entry]:
        """The entries of the calendar, earliest first."""
        live = [one for one in self.entries.values() if one.method == "REQUEST"]
        return sorted(live, key=lambda entry: entry.start)
