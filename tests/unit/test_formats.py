"""Formats of lengths, zones and times."""

from datetime import UTC, datetime, timedelta

import pytest

from lead_service.formats import (
    breakable,
    elsewhere,
    in_sentence,
    lately,
    until,
    zone_name,
)

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (timedelta(minutes=-5), "now"),
        (timedelta(0), "now"),
        (timedelta(seconds=20), "in 1 minute"),
        (timedelta(minutes=25), "in 25 minutes"),
        (timedelta(minutes=119), "in 119 minutes"),
        (timedelta(minutes=121), "in 2 hours"),
        (timedelta(hours=24), ""),
    ],
)
def test_lengths_are_written_in_the_largest_fitting_unit(ahead, said):
    assert until(NOW + ahead, NOW) == said


@pytest.mark.parametrize(
    ("zone", "name", "on_that_day"),
    [
        ("America/New_York", "New York time", "New York time (EST)"),
        ("America/Argentina/Buenos_Aires", "Buenos Aires time", "Buenos Aires time (UTC-3)"),
        ("Asia/Kathmandu", "Kathmandu time", "Kathmandu time (UTC+5:45)"),
        ("Australia/Lord_Howe", "Lord Howe Island time", "Lord Howe Island time (UTC+11)"),
        ("UTC", "UTC", "UTC"),
        ("Etc/GMT+5", "UTC-5", "UTC-5"),
    ],
)
def test_zones_have_names_for_people(zone, name, on_that_day):
    assert zone_name(zone) == name
    assert zone_name(zone, NOW) == on_that_day


def test_names_are_written_inside_a_sentence():
    assert [in_sentence(name) for name in ("Discovery call", "ACTION review", "")] == [
        "discovery call",
        "ACTION review",
        "",
    ]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ("America/New_York", ""),
        ("America/Toronto", ""),
        ("Europe/Berlin", "3:00 pm Berlin time"),
        ("Pacific/Auckland", "Wed, Nov 25, 3:00 am Auckland time"),
    ],
)
def test_a_time_in_another_zone_is_shown_only_if_it_differs(other, told):
    assert elsewhere(datetime(2026, 11, 24, 14, tzinfo=UTC), "America/New_York", other) == told


def test_a_narrow_column_shows_the_time_of_today_and_the_date_of_other_days():
    now = datetime(2026, 11, 24, 3, tzinfo=UTC)  # the evening before, in New York
    for hours, said in [(-1, "9:00 pm"), (-25, "Sun, Nov 22"), (3, "Tue, Nov 24")]:
        assert lately(now + timedelta(hours=hours), "America/New_York", now) == said


def test_an_address_breaks_only_after_its_signs_and_is_escaped():
    assert breakable("ann-b.<i>@big.example") == "ann-<wbr>b.<wbr>&lt;i&gt;@<wbr>big.<wbr>example"
