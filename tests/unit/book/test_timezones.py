"""Search for a time zone by city, country, abbreviation or offset."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_service.book.visitor import timezones
from lead_service.desk.city_form import CityForm, city_in
from tests.support.any_text import any_text

WINTER = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
SUMMER = datetime(2026, 7, 15, 12, 0, tzinfo=UTC)


def found(text: str, now: datetime = WINTER) -> list[str]:
    return [place.zone for place in timezones.search(text, now)]


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("New York", "America/New_York"),
        ("  new   YORK ", "America/New_York"),
        ("San Francisco", "America/Los_Angeles"),
        ("St. Louis", "America/Chicago"),
        ("usa", "America/New_York"),
        ("Eastern Time", "America/New_York"),
        ("PT", "America/Los_Angeles"),
        ("Deutschland", "Europe/Berlin"),
        ("munich", "Europe/Berlin"),
        ("Zürich", "Europe/Zurich"),
        ("São Paulo", "America/Sao_Paulo"),
        ("UK", "Europe/London"),
        ("Calcutta", "Asia/Kolkata"),
        ("Kiev", "Europe/Kyiv"),
        ("EST", "America/New_York"),
        ("PST", "America/Los_Angeles"),
        ("UTC", "UTC"),
        ("Lord Howe", "Australia/Lord_Howe"),
        ("Doha", "Asia/Qatar"),  # a capital that does not name its zone
        ("quito", "America/Guayaquil"),
        ("tokyo japan", "Asia/Tokyo"),
    ],
)
def test_the_likeliest_zone_comes_first(text, zone):
    assert found(text)[0] == zone


def test_a_distance_from_utc_is_the_one_of_today():
    assert "Asia/Kolkata" in found("+5:30")
    assert "Asia/Kathmandu" in found("UTC+5:45")
    assert "America/New_York" in found("utc-5", WINTER)
    assert "America/New_York" not in found("GMT -5", SUMMER)
    assert "Europe/Berlin" in found("+02:00", SUMMER)


@pytest.mark.parametrize("text", ["", "   ", "qwertz", "../../etc/passwd", "+99", "%", "Mars 2"])
def test_text_that_is_not_a_place_finds_nothing(text):
    assert found(text) == []


@given(any_text(max_size=200), st.sampled_from([WINTER, SUMMER]))
def test_any_text_finds_a_few_real_zones_or_none(text, now):
    zones = found(text, now)
    assert len(zones) <= timezones.MOST
    assert len(set(zones)) == len(zones)
    assert all(ZoneInfo(zone) for zone in zones)


def test_every_zone_is_found_by_its_own_name_and_city(pytestconfig):
    """Each with --all, else one in eight."""
    for zone, place in list(timezones._places().items())[:: 1 if pytestconfig.option.all else 8]:
        assert found(zone)[0] == zone
        assert zone in found(place.city)


def test_every_further_city_belongs_to_a_zone_that_is_offered():
    for zone, _ in timezones._rows(timezones.CITIES.read_text("utf-8")):
        assert zone in timezones._places()


@pytest.mark.parametrize(
    ("alias", "zone"),
    [
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Europe/Kiev", "Europe/Kyiv"),
        ("Etc/GMT", "UTC"),
        ("Zulu", "UTC"),
        (
            "Europe/Amsterdam",
            "Europe/Amsterdam",
        ),  # an alias in the database
        ("Etc/GMT+5", "Etc/GMT+5"),
        ("UTC", "UTC"),
    ],
)
def test_an_alias_becomes_its_present_name(alias, zone):
    assert timezones.current(alias) == zone


def test_another_name_is_never_another_time():
    for name in timezones._all_zones():
        here, there = ZoneInfo(name), ZoneInfo(timezones.current(name))
        for now in (WINTER, SUMMER):
            assert now.astimezone(here).utcoffset() == now.astimezone(there).utcoffset(), name


def test_a_zone_is_a_name_in_the_tz_database():
    assert timezones.is_zone("Europe/Berlin")
    assert timezones.is_zone("US/Eastern")
    for name in ("", "Mars/Olympus", "../../etc/passwd", "Europe", "tzdata.zi", "a" * 300):
        assert not timezones.is_zone(name)
    for name in ("Factory", "localtime"):
        assert not timezones.is_zone(name)


def test_the_city_that_is_shown_for_a_zone_is_read_as_a_zone_of_the_same_clock(pytestconfig):
    for name in sorted(timezones._all_zones())[:: 1 if pytestconfig.option.all else 5]:
        read = CityForm(data={"city": city_in(name)}).zone
        assert read, name
        clocks = ([at.astimezone(ZoneInfo(one)) for at in (WINTER, SUMMER)] for one in (name, read))
        mine, theirs = ([at.utcoffset() for at in times] for times in clocks)
        assert mine == theirs, (name, read)
