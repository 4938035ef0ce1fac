"""Hosts from the command line: the first one, and changes to it."""

import re
import unicodedata
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..settings import Settings
from .host_models import Host, OpeningHours
from .hours import parse_window

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FIRST_HOURS = "mon-fri 09:00-17:00"
LONGEST_NAME, LONGEST_LINK = 120, 500  # as the columns have it
# Controls, line and paragraph separators, and bytes of the command line that are no text.
NOT_TEXT = {"Cc", "Zl", "Zp", "Cs"}
PART = re.compile(r"(\w{3})(?:-(\w{3}))?\s+(\d{1,2}:\d{2})-(\d{1,2}:\d{2})")


def seed(session: Session, settings: Settings) -> bool:
    """Make the first host, when there is none: weekdays 9 to 17, by phone, in UTC.

    Returns whether there was none.
    """
    if session.scalar(select(Host.id).limit(1)):
        return False
    host = Host(name=settings.practice_name, email=settings.sales_to[0], zone="UTC")
    host.hours = parse_hours(FIRST_HOURS)
    session.add(host)
    return True


def someone_takes_calls(session: Session) -> bool:
    """Say whether an active host has opening hours; else no visitor can book."""
    open_hosts = select(Host.id).where(Host.is_active, Host.hours.any())
    return session.scalar(open_hosts.limit(1)) is not None


def edit(session: Session, settings: Settings, **given: str | None) -> str:
    """Change what is given of the first host, and describe it; raise ValueError in words."""
    seed(session, settings)
    session.flush()
    host = session.scalars(select(Host).order_by(Host.id).limit(1).with_for_update()).one()
    if given["name"] is not None:
        host.name = _name(given["name"]) or host.name
    if given["email"] is not None:
        host.email = _address(given["email"])
    if given["zone"] is not None:
        host.zone = _zone(given["zone"])
    if given["hours"] is not None:
        host.hours = parse_hours(given["hours"])
    if given["meeting_link"] is not None:
        host.meeting_link = _link(given["meeting_link"])
    session.flush()
    return describe(host)


def parse_hours(text: str) -> list[OpeningHours]:
    """Read `mon-fri 09:00-17:00, sat 10:00-12:00`; raise ValueError naming the part."""
    hours = []
    for part in filter(None, (part.strip() for part in text.lower().split(","))):
        found = PART.fullmatch(part)
        if not found or not {found[1], found[2] or found[1]} <= set(WEEKDAYS):
            raise ValueError(f"hours: {part!r} is not like mon-fri 09:00-17:00")
        first, last = WEEKDAYS.index(found[1]), WEEKDAYS.index(found[2] or found[1])
        if last < first:
            raise ValueError(f"hours: {part!r} ends before it begins")
        window = parse_window(found[3], found[4])
        if window.end <= window.start or window.start % 5 or window.end % 5:
            raise ValueError(f"hours: {part!r} must run forward in steps of five minutes")
        hours += [
            OpeningHours(weekday=day, opens=window.start, closes=window.end)
            for day in range(first, last + 1)
        ]
    return hours


def describe(host: Host) -> str:
    """Write a host as the command shows it."""
    hours = ", ".join(
        f"{WEEKDAYS[one.weekday]} {_time(one.opens)}-{_time(one.closes)}" for one in host.hours
    )
    link = host.meeting_link or "we call you"
    return f"{host.name} <{host.email}>\nzone   {host.zone}\nhours  {hours}\ncall   {link}"


def _time(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _address(text: str) -> str:
    try:
        checked = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError as fault:
        raise ValueError(f"email: {fault}") from None
    return checked.normalized


def _zone(text: str) -> str:
    if text not in available_timezones():
        raise ValueError(f"zone: {text!r} is not a time zone; America/New_York is one")
    return text


def _name(text: str) -> str:
    name = text.strip()
    if any(unicodedata.category(character) in NOT_TEXT for character in name):
        raise ValueError("name: must be one line of text")
    if len(name) > LONGEST_NAME:
        raise ValueError(f"name: must not be longer than {LONGEST_NAME} characters")
    return name


def _link(text: str) -> str:
    """Check where the call takes place; an empty text means that the host calls."""
    link = text.strip()
    if len(link) > LONGEST_LINK:
        raise ValueError(f"meeting-link: must not be longer than {LONGEST_LINK} characters")
    if link and not _is_secure_link(link):
        raise ValueError("meeting-link: must be like https://meet.example.com/ann")
    return link


def _is_secure_link(text: str) -> bool:
    if " " in text or not text.isprintable():  # urlsplit drops line breaks without a word
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that do not close, a port that is no number
        return False
