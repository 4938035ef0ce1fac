"""Parsing and writing opening hours, and the errors for invalid ones."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lead_service.book.availability.intervals import Window
from lead_service.book.hosts import opening_hours


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [
        ("", []),
        ("09:00-12:00, 13:00-17:00", [(540, 720), (780, 1020)]),
        ("9:30 to 17:05", [(570, 1025)]),
        ("13:00\u201317:00; 9:00\u201412:00", [(540, 720), (780, 1020)]),
        ("22:00-26:00", [(1320, 1560)]),
        ("00:00-48:00", [(0, 2880)]),
        ("9am-5pm", [(540, 1020)]),
        ("9h-17h30", [(540, 1050)]),
        ("9-5pm, 7:30 PM to 9 p.m.", [(540, 1020), (1170, 1260)]),
        ("9am-5", [(540, 1020)]),
        ("9am to noon", [(540, 720)]),
        ("noon-5", [(720, 1020)]),
        ("midnight-5", [(0, 300)]),
        ("5-midnight", [(1020, 1440)]),
        ("6.30pm until midnight", [(1110, 1440)]),
        ("10pm-2am", [(1320, 1560)]),
        ("12-1am", [(0, 60)]),
        ("12-5pm", [(720, 1020)]),
        ("12am-12pm", [(0, 720)]),
        ("09:00-12:00,12:00-13:00,", [(540, 720), (720, 780)]),
        ("9-5", [(540, 1020)]),
        ("9-12, 1-5", [(540, 720), (780, 1020)]),
        ("5:20-9:00", [(320, 540)]),
        ("1:00-5", [(60, 300)]),
        ("8:30 to 5:30", [(510, 1050)]),
        ("22-2", [(1320, 1560)]),
        ("0900-1700", [(540, 1020)]),
        ("9am to noon and 1pm to 5pm", [(540, 720), (780, 1020)]),
        ("Closed", []),
        ("6pm-8am", [(1080, 1920)]),
    ],
)
def test_hours_are_read_as_people_write_them(typed, minutes):
    assert [(one.start, one.end) for one in opening_hours.parse_windows(typed)] == minutes


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("nine to five", "like 9am-5pm"),
        ("09:00-17:00 13:00-14:00", "like 9am-5pm"),
        ("17:00-09:00", "end after it starts"),
        ("13-5", "more than 14 hours"),
        ("17:00-9am", "5:00 pm to 9:00 am the next day if you mean it"),
        ("9am-", "Enter when the hours from 9am end"),
        ("- 5pm", "Enter when the hours until 5pm begin"),
        ("closed, 9-5", "like 9am-5pm"),
        ("9am-05:00", "end after it starts"),
        ("24:00-25:00", "from 00:00"),
        ("09:60-10:00", "from 00:00"),
        ("09:00-09:07", "must end in 0 or 5"),
        ("09:00-12:00, 11:55-13:00", "9:00 am to 12:00 pm and 11:55 am to 1:00 pm overlap"),
        ("\u0660\u0669:00-12:00", "like 9am-5pm"),
    ],
)
def test_invalid_hours_are_refused_with_a_message(typed, told):
    with pytest.raises(ValueError, match=told):
        opening_hours.parse_windows(typed)


fives = st.integers(0, 287).flatmap(
    lambda start: st.tuples(st.just(start * 5), st.integers(start + 1, 576).map(lambda n: n * 5))
)


@given(fives)
def test_written_hours_can_be_parsed_again(window):
    one = [Window(*window)]
    assert opening_hours.parse_windows(opening_hours.write_windows(one)) == one
    ((opens, closes),) = opening_hours.rows(opening_hours.write_windows(one))
    assert opening_hours.parse_windows(f"{opens} - {closes}") == one


def clock_of_12(minutes: int) -> str:
    names = {0: "midnight", 720: "noon"}
    hour, past = divmod(minutes, 60)
    return names.get(minutes) or f"{hour % 12 or 12}:{past:02}{'am' if hour < 12 else 'pm'}"


def clock_of_24(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


# From 10 to 12, the 24-hour clock looks like the 12-hour one.
day = st.integers(0, 287).map(lambda number: number * 5)
clocks = st.sampled_from([clock_of_12, clock_of_24])


@given(day, day, clocks, clocks)
def test_start_and_end_may_be_in_different_zones(start, end, write_start, write_end):
    if write_end is clock_of_12 and end <= start and (end == 0 or end < start):
        end += 1440
    for minutes, write in ((start, write_start), (end % 1440, write_end)):
        assume(write is clock_of_12 or not 600 <= minutes < 780)
    typed = f"{write_start(start)}-{write_end(end % 1440)}"
    if end <= start:
        with pytest.raises(ValueError, match="end after it starts"):
            opening_hours.parse_windows(typed)
    elif end > 1440 and end - start > 840:
        with pytest.raises(ValueError, match="more than 14 hours"):
            opening_hours.parse_windows(typed)
    else:
        assert opening_hours.parse_windows(typed) == [Window(start, end)]


def test_hours_are_written_like_clock_times():
    shown = opening_hours.write_windows([Window(540, 720), Window(780, 1440)])
    assert shown == "9:00 am to 12:00 pm, 1:00 pm to midnight"
    assert opening_hours.write_windows([Window(1320, 1560)]) == "10:00 pm to 2:00 am the next day"


@pytest.mark.parametrize(("weekday", "following"), [(0, 1), (6, 0)])
def test_hours_past_midnight_may_touch_the_next_day_and_not_overlap_it(weekday, following):
    week = {weekday: [Window(1320, 1560)], following: [Window(120, 300)]}
    assert opening_hours.overlap_of_days(week) is None
    week[following] = [Window(115, 300)]
    found, told = opening_hours.overlap_of_days(week)
    assert found == weekday
    assert opening_hours.WEEKDAYS[following] in told
