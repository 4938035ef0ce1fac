"""Write the calendar file of a call: invitation, update and cancellation.

Pure: text in, bytes out. The `icalendar` package writes every line (RFC 5545), so that no text can
inject a line; characters that calendar readers can't handle are removed first.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

from icalendar import Alarm, Calendar, Event, vCalAddress, vDuration, vUri

REFRESH = timedelta(minutes=15)  # refresh interval for subscribers
PRODUCT = "-//lead-service//discovery calls//EN"
# Bidi controls. The joiners (U+200C, U+200D) stay: Persian names and emoji need them.
BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
# Controls (C0 and C1), lone surrogates, and separators that some readers treat as line ends.
UNWRITABLE = frozenset(("Cc", "Cs", "Zl", "Zp"))


@dataclass(frozen=True)
class Meeting:
    """The content of one recipient's calendar file.

    `uid` never changes and `sequence` increases with every change (RFC 5546).
    `start` and `stamped_at` are aware (ValueError otherwise); `duration` is in minutes. `url` is
    the link to join by. `attendee_*` is the recipient of this email. `has_accepted` is for
    the visitor, who chose the time: the file asks for no reply, since no one would read it.
    """

    uid: str
    sequence: int
    start: datetime
    duration: int
    summary: str
    description: str
    location: str
    url: str | None
    organizer_email: str
    organizer_name: str
    attendee_email: str
    attendee_name: str
    stamped_at: datetime
    has_accepted: bool = False
    is_tentative: bool = False  # the team hasn't confirmed it yet

    def __post_init__(self) -> None:
        for name in ("start", "stamped_at"):
            if getattr(self, name).utcoffset() is None:
                raise ValueError(f"{name} must be an aware datetime")

    @property
    def starts_at(self) -> datetime:
        return self.start.astimezone(UTC)

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(minutes=self.duration)


def invitation(meeting: Meeting) -> bytes:
    """Write the invitation; a higher sequence makes it an update (METHOD:REQUEST)."""
    event = _event(meeting)
    attendee = _attendee(meeting)
    if meeting.has_accepted:
        attendee.params["PARTSTAT"] = "ACCEPTED"
    else:
        attendee.params.update({"PARTSTAT": "NEEDS-ACTION", "RSVP": "TRUE"})
    event.add("attendee", attendee)
    reminder = Alarm()
    reminder.add("action", "DISPLAY")
    reminder.add("description", clean(meeting.summary))
    reminder.add("trigger", timedelta(hours=-1))
    event.add_component(reminder)
    return _file("REQUEST", event)


def cancellation(meeting: Meeting) -> bytes:
    """Write the cancellation: same UID, higher sequence (METHOD:CANCEL).

    It has no alarm (RFC 5546, section 3.2.5) and asks for no reply.
    """
    event = _event(meeting, "CANCELLED")
    event.add("attendee", _attendee(meeting))
    return _file("CANCEL", event)


def agenda(name: str, meetings: Iterable[Meeting]) -> bytes:
    """Write a calendar for subscribers (METHOD:PUBLISH, with the name and refresh of RFC 7986).

    It has no attendees (RFC 5546, section 3.2.1) and no alarms: each call was emailed as an
    invitation, which has both.
    """
    calendar = _calendar("PUBLISH")
    calendar.add("name", clean(name))
    calendar.add("x-wr-calname", clean(name))
    calendar.add("refresh-interval", REFRESH)
    calendar.add("x-published-ttl", vDuration(REFRESH))
    for meeting in meetings:
        calendar.add_component(_event(meeting))
    return bytes(calendar.to_ical())


def content_type(method: str) -> str:
    """Return the content type of the email part; its method must match the file's METHOD.

    Without spaces and charset: with them, the email provider refuses the email, or the
    reader's program shows it as a plain file.
    """
    return f"text/calendar;method={method}"


def clean(text: str) -> str:
    """Remove characters that calendar readers can't handle: controls, a backslash at the end.

    All else stays as it is, in any script.
    """
    kept = "".join(
        char
        for char in text
        if char not in BIDI_CONTROLS and unicodedata.category(char) not in UNWRITABLE
    ).strip()
    while kept.endswith("\\"):
        kept = kept.rstrip("\\").rstrip()
    return kept


def google_link(meeting: Meeting) -> str:
    """Return the link that adds the call to Google Calendar.

    It contains the summary, the description and the location, and nothing about the visitor.
    """
    stamps = (f"{at:%Y%m%dT%H%M%SZ}" for at in (meeting.starts_at, meeting.ends_at))
    query = {
        "action": "TEMPLATE",
        "text": clean(meeting.summary),
        "dates": "/".join(stamps),
        "details": _paragraphs(meeting.description),
        "location": clean(meeting.location),
    }
    return "https://calendar.google.com/calendar/render?" + urlencode(
        query, quote_via=quote, safe=""
    )


def outlook_link(meeting: Meeting) -> str:
    """Return the link that adds the call to Outlook on the web, for work accounts.

    Same content as `google_link`. Spaces must be `%20`: Outlook shows a `+` literally.
    """
    query = {
        "path": "/calendar/action/compose",
        "rru": "addevent",
        "subject": clean(meeting.summary),
        "startdt": f"{meeting.starts_at:%Y-%m-%dT%H:%M:%SZ}",
        "enddt": f"{meeting.ends_at:%Y-%m-%dT%H:%M:%SZ}",
        "body": _paragraphs(meeting.description),
        "location": clean(meeting.location),
    }
    address = "https://outlook.office.com/calendar/0/deeplink/compose?"
    return address + urlencode(query, quote_via=quote, safe="")


def _file(method: str, event: Event) -> bytes:
    calendar = _calendar(method)
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _calendar(method: str) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", method)
    return calendar


def _event(meeting: Meeting, status: str = "") -> Event:
    event = Event()
    event.add("uid", clean(meeting.uid))
    event.add("sequence", meeting.sequence)
    event.add("dtstamp", meeting.stamped_at.astimezone(UTC))
    event.add("dtstart", meeting.starts_at)
    event.add("dtend", meeting.ends_at)
    event.add("status", status or ("TENTATIVE" if meeting.is_tentative else "CONFIRMED"))
    event.add("transp", "OPAQUE")
    event.add("summary", clean(meeting.summary))
    event.add("description", _paragraphs(meeting.description))
    event.add("location", clean(meeting.location))
    event.add("organizer", _address(meeting.organizer_email, meeting.organizer_name))
    if meeting.url:
        link = vUri(quote(clean(meeting.url), safe="%:/?#[]@!$&'()*+,;=~"))
        link.params.update({"VALUE": "URI", "FEATURE": "VIDEO", "LABEL": "Join the call"})
        event.add("conference", link)
    return event


def _attendee(meeting: Meeting) -> vCalAddress:
    attendee = _address(meeting.attendee_email, meeting.attendee_name)
    attendee.params["ROLE"] = "REQ-PARTICIPANT"
    return attendee


def _address(email: str, name: str) -> vCalAddress:
    """Return a mailto address (RFC 6068), with the name if there is one."""
    address = vCalAddress("mailto:" + quote(clean(email), safe="@!$'*+-._~"))
    if name := clean(name):
        address.params["CN"] = name
    return address


def _paragraphs(text: str) -> str:
    return "\n".join(clean(line) for line in text.splitlines())
