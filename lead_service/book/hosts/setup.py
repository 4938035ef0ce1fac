"""Create the first host, and find problems that keep hosts from being booked."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...call_types import HALF_HOUR, CallTypes
from ...settings import Settings
from ..availability import busy_times, queries
from . import opening_hours
from .models import Host, OpeningHours, who_take

NINE_TO_FIVE = ("09:00-17:00",) * 5
FROM_ONESELF = "Calendars ignore invitations that you send to yourself: use another address."
NOBODY = "no host takes calls; on the desk under Availability, check a host and start taking calls"


def create_first_host(session: Session, settings: Settings) -> bool:
    """Create the first host, if there is none: weekdays 9 to 17, by phone, in UTC.

    In production, the host takes no calls until an admin has confirmed name and zone. Returns
    whether there was none.
    """
    if session.scalar(select(Host.id).limit(1)):
        return False
    host = Host(name=settings.practice_name, email=settings.sales_to[0], zone="UTC")
    host.hours, host.is_active = weekly_hours(NINE_TO_FIVE), settings.is_local
    session.add(host)
    return True


def is_sender(settings: Settings, email: str) -> bool:
    """Say whether an address is the sender of invitations."""
    return email.casefold() == settings.mail_from.casefold()


def weekly_hours(days: Sequence[str]) -> list[OpeningHours]:
    """Create the opening hours of a week from the text of each day, Monday first."""
    return [
        OpeningHours(weekday=weekday, opens=window.start, closes=window.end)
        for weekday, text in enumerate(days)
        for window in opening_hours.parse_windows(text)
    ]


def problems(
    session: Session, settings: Settings, calls: CallTypes | None, now: datetime
) -> Iterator[str]:
    """Yield one line for each problem that keeps hosts from being booked or from getting emails."""
    hosts = queries.active_hosts(session)
    if not any(host.hours for host in hosts):
        yield NOBODY
    else:
        for host in hosts:
            if not (host.hours or host.overrides):
                yield f"{host.name} takes calls but has no hours; set them on the desk"
    if calls and hosts:
        for kind in calls.all:
            if not who_take(hosts, kind, calls):
                yield f"no host takes the call \u201c{kind.name}\u201d; choose who does on the desk"
        yield from _lengths(hosts, calls.default.minutes)
    for host in hosts:
        if is_sender(settings, host.email):
            yield f"MAIL_FROM: {host.email} is also the address of {host.name}. {FROM_ONESELF}"
    yield from busy_times.calendar_problems(hosts, now)


def _lengths(hosts: Sequence[Host], minutes: int) -> Iterator[str]:
    """Yield a line for each host whose former length of calls differs from docs/calls.yml."""
    for host in hosts:
        if host.duration not in (HALF_HOUR, minutes):
            yield (
                f"calls with {host.name} took {host.duration} minutes, and now take {minutes};"
                " edit docs/calls.yml, or accept this: save that host\u2019s rules on the desk"
            )
