"""Days as the visitor reads them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from lead_service.book import days

FIRST = datetime(2026, 10, 20, tzinfo=UTC)
starts = st.lists(
    st.integers(0, 40 * 48).map(lambda half_hours: FIRST + timedelta(minutes=30 * half_hours)),
    unique=True,
).map(sorted)
zones = st.sampled_from(sorted(name for names in days.zones().values() for name in names))


@given(starts, zones)
def test_pages_show_every_start_once_in_order_on_its_own_date(found, zone):
    shown, first = [], None
    while True:
        page = days.page(found, zone, first)
        shown += [start for day in page.days for start in day.starts]
        for day in page.days:
            assert {start.astimezone(ZoneInfo(zone)).date() for start in day.starts} == {day.date}
        if page.later is None:
            break
        first = page.later
    assert shown == found


@given(starts, zones, st.dates(FIRST.date(), FIRST.date() + timedelta(days=60)))
def test_going_later_and_back_returns_to_the_same_days(found, zone, first):
    page = days.page(found, zone, first)
    if page.later:
        assert days.page(found, zone, days.page(found, zone, page.later).earlier).days == page.days


def test_the_nearest_starts_are_around_the_one_that_is_gone():
    found = [FIRST + timedelta(hours=hour) for hour in range(10)]
    assert days.nearest(found, FIRST + timedelta(hours=5), 3) == found[4:7]


def test_a_zone_is_what_the_tz_database_holds():
    assert days.is_zone("Europe/Berlin")
    assert days.is_zone("US/Eastern")
    for name in ("", "Mars/Olympus", "../../etc/passwd", "Europe", "tzdata.zi", "a" * 300):
        assert not days.is_zone(name)
