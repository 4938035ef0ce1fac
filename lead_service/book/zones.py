"""Read a zone's clock: instants, the readings of its wall clock, and where its offset changes.

Inside, an instant is microseconds since 1970-01-01T00:00Z and a reading the same count on the
zone's wall clock. Within a stretch of one offset from UTC the two differ by an addition, so gaps,
folds and skipped dates need no case of their own, and no minute is visited by itself.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = EPOCH.toordinal()
MICROSECOND = timedelta(microseconds=1)
MINUTE = 60_000_000
DAY = 1440 * MINUTE
# A year short of what `datetime` holds, so that no zone's clock can leave it.
FIRST, LAST = ((datetime(year, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND for year in (2, 9999))


def stretches(zone: ZoneInfo, start: int, end: int) -> list[tuple[int, int, int]]:
    """Cut [start, end) into stretches of one offset (start, end, offset): reading - instant.

    Looks once a day and halves a day in which the offset changed: no zone changes its clocks twice
    within a day, and a test holds the tz database to that.
    """
    found, since, offset = [], start, offset_at(zone, start)
    for day in range(start, end, DAY):
        early, late = day, min(day + DAY, end)
        if offset_at(zone, late) == offset:
            continue
        while late - early > 1:
            middle = (early + late) // 2
            early, late = (middle, late) if offset_at(zone, middle) == offset else (early, middle)
        found.append((since, late, offset))
        since, offset = late, offset_at(zone, late)
    return [*found, (since, end, offset)]


def offset_at(zone: ZoneInfo, at: int) -> int:
    """Give what a zone's clock is ahead of UTC at an instant, in microseconds."""
    ahead = moment(at).astimezone(zone).utcoffset()
    assert ahead is not None  # the moment is aware
    return ahead // MICROSECOND


def day_of(zone: ZoneInfo, at: int) -> int:
    """Give the date that a zone's calendar shows at an instant, in days since 1970-01-01."""
    return (at + offset_at(zone, at)) // DAY


def instant(at: datetime) -> int:
    """Count an aware datetime in microseconds; a naive one is a TypeError."""
    return (at - EPOCH) // MICROSECOND


def moment(at: int) -> datetime:
    """Give the UTC datetime of an instant, clipped to the years 2 to 9998."""
    return EPOCH + timedelta(microseconds=min(max(at, FIRST), LAST))
