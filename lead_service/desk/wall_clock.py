"""Convert wall-clock times, which may be no instant, one, or two. Pure."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

YEARS = range(2000, 2200)  # plausible dates


def parse(text: str) -> datetime | None:
    """Parse the value of a date and time field, `2026-11-24T09:00`; None if invalid."""
    try:
        reading = datetime.fromisoformat(text)
    except ValueError:
        return None
    if reading.tzinfo or reading.year not in YEARS:
        return None
    return reading.replace(second=0, microsecond=0)


def instants(reading: datetime, zone: str) -> list[datetime]:
    """Return the instants (UTC) of a wall-clock time in an IANA zone.

    There are none in the hour skipped when clocks go forward, and two in the
    hour repeated when they go back.
    """
    local = ZoneInfo(zone)
    possible = {reading.replace(tzinfo=local, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(
        at for at in possible if at.astimezone(local).replace(tzinfo=None, fold=0) == reading
    )


def offset(instant: datetime, zone: str) -> str:
    """Write a zone's UTC offset at an instant: UTC+05:30."""
    shown = f"{instant.astimezone(ZoneInfo(zone)):%z}"
    return f"UTC{shown[:3]}:{shown[3:5]}"
