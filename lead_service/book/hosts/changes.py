"""Hosts from the command line: the first one, others, and changes to each."""

from collections.abc import Iterator
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...settings import Settings
from ..availability import busy_times, queries
from ..calendars import feed_address
from . import command_options
from .models import CalendarFeed, DateOverride, Host, TimeOff

FIRST_HOURS = "mon-fri 09:00-17:00"
Given = dict[str, str | None]


def create_first_host(session: Session, settings: Settings) -> bool:
    """Make the first host, when there is none: weekdays 9 to 17, by phone, in UTC.

    Returns whether there was none.
    """
    if session.scalar(select(Host.id).limit(1)):
        return False
    host = Host(name=settings.practice_name, email=settings.sales_to[0], zone="UTC")
    host.hours = command_options.weekly_hours(FIRST_HOURS)
    session.add(host)
    return True


def problems(session: Session, now: datetime) -> Iterator[str]:
    """Yield one line for each thing that keeps hosts from being booked."""
    hosts = queries.active_hosts(session)
    if not any(host.hours for host in hosts):
        yield "no host takes calls; run `lead-service host`"
    else:
        for host in hosts:
            if not (host.hours or host.overrides):
                yield f"host {host.id} takes calls and has no hours; run `lead-service host`"
    yield from busy_times.calendar_problems(hosts, now)


def describe_all(session: Session, settings: Settings) -> str:
    """Write every host; make the first one when there is none."""
    create_first_host(session, settings)
    session.flush()
    hosts = session.scalars(select(Host).order_by(Host.id))
    return "\n\n".join(f"{host.id}: {command_options.describe(host)}" for host in hosts)


def find_host(session: Session, settings: Settings, address: str | None) -> Host:
    """Find and lock a host by mail address; without one it is the only host there is."""
    create_first_host(session, settings)
    session.flush()
    query = select(Host).order_by(Host.id)
    if address is not None:
        query = query.where(func.lower(Host.email) == command_options.address(address).lower())
    found = list(session.scalars(query.with_for_update()))
    if address is None and len(found) > 1:
        raise ValueError("which host? Say whose: `lead-service host ADDRESS \u2026`")
    if not found:
        raise ValueError(f"no host has the address {address}; `--new` makes one")
    return found[0]


def add(session: Session, address: str) -> Host:
    """Make a host with a name to be changed and no hours; raise ValueError for one who is there."""
    email = command_options.address(address)
    if session.scalar(select(Host.id).where(func.lower(Host.email) == email.lower())):
        raise ValueError(f"email: {email} is a host already")
    host = Host(
        name=email.partition("@")[0][: command_options.LONGEST_NAME], email=email, zone="UTC"
    )
    session.add(host)
    session.flush()
    return host


def edit(session: Session, host: Host, given: Given) -> None:
    """Change what is given of a host; raise ValueError in words, and change nothing then."""
    for name, text in given.items():
        if text is not None and (change := CHANGES.get(name)):
            setattr(host, name, change(text))
    host.name = host.name or host.email
    country, region = (
        kept if (text := given.get(name)) is None else text
        for name, kept in (("country", host.country), ("region", host.region))
    )
    if given.get("country") is not None and given.get("region") is None:
        region = ""
    host.country, host.region = command_options.place(country, region)
    taken = select(Host.id).where(func.lower(Host.email) == host.email.lower(), Host.id != host.id)
    with session.no_autoflush:
        if session.scalar(taken):
            raise ValueError(f"email: {host.email} is another host")
    changed(session, host)


def add_calendar(session: Session, host: Host, url: str, label: str, settings: Settings) -> None:
    """Have a calendar read from now on; until it is, nothing of this host is offered."""
    try:
        checked = feed_address.check_typed(url, allow_loopback=settings.feeds_allow_loopback)
    except ValueError as fault:
        raise ValueError(f"calendar: the address {fault}") from None
    label = command_options.line("label", label, 60)
    if not label or any(feed.label == label for feed in host.feeds):
        raise ValueError("label: give each calendar a name of its own, such as Work")
    host.feeds.append(CalendarFeed(url=checked, label=label))
    changed(session, host)


def remove_calendar(session: Session, host: Host, label: str) -> None:
    """Read a calendar no more, and forget what was read of it."""
    found = [feed for feed in host.feeds if feed.label == label]
    if not found:
        raise ValueError(f"calendar: {label!r} is not one of this host\u2019s")
    host.feeds.remove(found[0])
    changed(session, host)


def describe_calendars(host: Host, now: datetime) -> str:
    """Write a host's calendars: label, server, how they stand; never the address."""
    lines = [
        f"{feed.label}  ({feed_address.host_of(feed.url)})  {busy_times.status_text(feed, now)}"
        for feed in host.feeds
    ]
    return "\n".join(lines) or "no calendar"


def set_date(session: Session, host: Host, day: date, texts: tuple[str, ...] | None) -> None:
    """Give a date hours of its own, no windows for a day off; None goes back to the weekly ones."""
    windows = None if texts is None else command_options.dated_hours(texts)
    host.overrides = [one for one in host.overrides if one.day != day]
    session.flush()  # before the new row of the same date
    if windows is not None:
        host.overrides.append(DateOverride(day=day, windows=windows))
    changed(session, host)


def add_time_off(session: Session, host: Host, first: date, last: date, note: str) -> None:
    """Take no calls on the dates [first, last]."""
    if last < first:
        raise ValueError("date: the last day is before the first")
    note = command_options.line("note", note, command_options.LONGEST_NOTE)
    host.time_off.append(TimeOff(first_day=first, last_day=last, note=note))
    changed(session, host)


def remove_time_off(session: Session, host: Host, first: date) -> None:
    """Take back the time off that begins on a date."""
    kept = [one for one in host.time_off if one.first_day != first]
    if len(kept) == len(host.time_off):
        raise ValueError(f"date: no time off begins on {first}")
    host.time_off = kept
    changed(session, host)


def changed(session: Session, host: Host) -> None:
    """Count a change, so that a page which was open meanwhile does not overwrite it."""
    host.version += 1
    session.flush()


CHANGES = {
    "name": lambda text: command_options.line("name", text, command_options.LONGEST_NAME),
    "email": command_options.address,
    "zone": command_options.zone,
    "hours": command_options.weekly_hours,
    "meeting_link": command_options.link,
    "is_active": lambda text: text == "yes",
    "duration": lambda text: command_options.minutes("duration", text, 5),
    "interval": lambda text: command_options.minutes("interval", text, 5),
    "buffer_before": lambda text: command_options.minutes("buffer-before", text, 0),
    "buffer_after": lambda text: command_options.minutes("buffer-after", text, 0),
    "notice": lambda text: command_options.minutes("notice", text, 0),
    "horizon_days": lambda text: command_options.count("horizon-days", text),
    "daily_limit": lambda text: command_options.count("daily-limit", text),
}
