"""Choose a start: an open one, or any time that a member types."""

from datetime import date, datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from flask import abort, request
from sqlalchemy.orm import Session

from ...book import bookings
from ...book.availability import month, queries, refusals
from ...book.availability.host_cache import AHEAD
from ...book.availability.host_rules import MOST_DAYS
from ...book.availability.time_cells import CELL
from ...book.forms import parse_start, start_text
from ...book.hosts.models import Host
from ...book.models import Booking
from ...call_types import CallType
from ...formats import moment
from .. import wall_clock

MOST_HOSTS, MOST_NEAR = 5, 3  # that a refusal names


class Refused(Exception):
    """The requested start can't be used; the message says why."""


def asked_start(zone: str, now: datetime) -> tuple[datetime, bool]:
    """Return the start (UTC) from the form, and whether the member typed it.

    A typed time is in `zone`. Raises Refused for one at which no host could start a call.
    """
    chosen, typed = request.form.get("start", ""), request.form.get("at", "")
    if bool(chosen) == bool(typed):
        raise Refused("Choose a time.")
    start = _instant(typed, zone) if typed else parse_start(chosen) or abort(422)
    if start <= now:
        raise Refused("That time has passed. Choose a later one.")
    if start > now + AHEAD:
        raise Refused(f"That time is more than {MOST_DAYS} days ahead. Choose an earlier one.")
    if typed and start.timestamp() % CELL.total_seconds():
        raise Refused("Choose another time: the minutes must end in 0 or 5.")
    return start, bool(typed)


def _instant(typed: str, zone: str) -> datetime:
    reading = wall_clock.parse(typed)
    if reading is None:
        raise Refused("The time must be a real date and time, such as 2026-11-24T09:00.")
    found = wall_clock.instants(reading, zone)
    if len(found) != 1:
        twice = (
            "the clocks show this one twice on that day"
            if found
            else "the clocks skip this one on that day"
        )
        raise Refused(f"Choose another time: {twice}.")
    return found[0]


def why(
    refused: bookings.Refused, choice: dict[str, Any], zone: str, now: datetime, otherwise: str
) -> str:
    """Say why no host can take a start, in `zone`, and what to do.

    That is one of the times of the `choice`, or `otherwise` for one that was agreed on.
    """
    if isinstance(refused, bookings.HasCall):
        when = moment(refused.start, zone, now)
        return (
            f"They already have a call with {refused.host}: {when}. Choose another time, or"
            " change that call first."
        )
    wanted = request.form.get("at")
    if not refused.refusals or (isinstance(refused, bookings.NotOffered) and not wanted):
        return "That time is not available. Choose another one."
    if not wanted or len(refused.refusals) == 1:
        busy = refusals.to_team(refused.refusals)
        return f"{busy[0].upper()}{busy[1:]}. Choose another time."
    each = [
        f"{one.host}: {refusals.on_desk(one.reason, zone, now)}"
        for one in refused.refusals[:MOST_HOSTS]
    ]
    start = asked_start(zone, now)[0]
    starts = [start for day in choice["by_day"].values() for start in day]
    near = [moment(one, zone, now) for one in month.nearest(starts, start, zone, MOST_NEAR)]
    nearest = f"Nearest times: {'; '.join(near)}. Choose one" if near else "Choose another time"
    return f"No host is free at that time. {nearest}, or {otherwise}. {' '.join(each)}"


def open_times(
    session: Session,
    hosts: list[Host],
    kind: CallType,
    zone: str,
    now: datetime,
    *,
    first: date,
    moving: Booking | None = None,
) -> dict[str, Any]:
    """Return the open starts by their date in `zone`, and the date to show.

    That is the requested date, or the next one with times, from `first` on.
    """
    place, own = ZoneInfo(zone), moving.id if moving else None
    starts = queries.open_starts(
        session, hosts, kind, now=now, start=now, end=now + AHEAD, moving=own
    )
    others = [start for start in starts if not (moving and start == moving.starts_at)]
    by_day = {
        day: list(group)
        for day, group in groupby(others, key=lambda start: start.astimezone(place).date())
    }
    wanted = request.values.get("day", "") or first.isoformat()
    if chosen := parse_start(request.form.get("start", "")):
        wanted = chosen.astimezone(place).date().isoformat()
    days = list(by_day)
    if days and (reading := wall_clock.parse(request.form.get("at", ""))):
        wanted = min(days, key=lambda day: abs(day - reading.date())).isoformat()
    shown = next((day for day in days if day.isoformat() >= wanted), days[-1] if days else None)
    return {"by_day": by_day, "shown": shown, "start_text": start_text}
