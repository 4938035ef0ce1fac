"""Read the local folder of emails like an email program."""

import email
import email.policy
import re
from email.message import EmailMessage
from pathlib import Path

from icalendar import Calendar, Event

from tests.support.matching import match


def read(folder: Path) -> list[EmailMessage]:
    """Return every mail in a folder, in the order of writing."""
    files = sorted(folder.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
    return [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in files
    ]


def invitation(mail: EmailMessage) -> tuple[str, Event] | None:
    """Return the method and the event of a mail's calendar part, or None without one.

    The method stands in the part's type and in the file; calendars want them to agree.
    """
    for part in mail.walk():
        if part.get_content_type() == "text/calendar":
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            calendar = Calendar.from_ical(content)
            (event,) = calendar.events
            assert part.get_param("method") == calendar["METHOD"]
            return str(calendar["METHOD"]), event
    return None


def method(mail: EmailMessage) -> str | None:
    """Return the method of a mail's calendar part: REQUEST, CANCEL or None."""
    found = invitation(mail)
    return found[0] if found else None


def text(mail: EmailMessage) -> str:
    """Return the plain text of an email."""
    body = mail.get_body(("plain",))
    assert body
    return body.get_content()


def link(mail: EmailMessage, path: str) -> str:
    """Return the link in an email whose path begins with `path`."""
    return match(rf"http://\S+?{re.escape(path)}\S+", text(mail))[0]


def sent_to(address: str, wanted: str):
    """Return the emails to an address with an invitation of that method."""
    return lambda mail: address in mail["To"] and method(mail) == wanted


def about(address: str, wanted: str | None):
    """Return the emails to host or team whose reply goes to a visitor, by method."""
    return lambda mail: address in (mail["Reply-To"] or "") and method(mail) == wanted
