"""Properties of every calendar file: unknown time is never free."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lead_service.book.calendars.components import NotUnderstood
from lead_service.book.calendars.parse import parse_calendar

START = datetime(2026, 3, 1, tzinfo=UTC)
END = START + timedelta(days=40)  # over a clock change in Europe and America
ME = "host@example.com"
OWN_ZONE = """BEGIN:VTIMEZONE
TZID:Office
BEGIN:STANDARD
DTSTART:20001029T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0530
TZOFFSETTO:+0430
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:20000326T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0430
TZOFFSETTO:+0530
END:DAYLIGHT
END:VTIMEZONE"""
ZONES = ["Europe/Berlin", "America/New_York", "Pacific/Auckland", "Asia/Kolkata", "Pacific/Niue"]
NAMES = [*ZONES, "Office", "Nowhere", "(UTC+01:00) Amsterdam", "Eastern Standard Time"]
ADDS_TIME = ("DTEND", "DURATION", "RRULE", "RDATE", "FREEBUSY")  # its effect is unknown

# Few values of each, so that overrides match occurrences and events share UIDs.
days = st.one_of(
    st.sampled_from([date(2026, 3, 9), date(2026, 3, 10)]),
    st.dates(START.date() - timedelta(days=3), END.date() + timedelta(days=3)),
)
clocks = st.one_of(st.just(time(9)), st.times().map(lambda at: at.replace(microsecond=0, second=0)))
uids = st.sampled_from(["UID:a", "UID:a", "UID:b", "UID:", ""])
zones = st.one_of(st.just("Europe/Berlin"), st.sampled_from(NAMES))
rules = st.sampled_from(
    [
        *["", "", "", "RRULE:FREQ=DAILY;COUNT=5", "RRULE:FREQ=WEEKLY;BYDAY=MO,TH"],
        *["RRULE:FREQ=DAILY;UNTIL=20260320T230000Z", "RRULE:FREQ=DAILY;INTERVAL=0;UNTIL=20260310"],
        *["RRULE:FREQ=MONTHLY;BYDAY=2TU,", "RRULE:FREQ=WEEKLY;BYDAY=X", "RRULE:FREQ=SOMETIMES"],
    ]
)
no_time = st.sampled_from(
    ["TRANSP:TRANSPARENT", "STATUS:CANCELED", f"ATTENDEE;PARTSTAT=DECLINED:mailto:{ME}"]
)


@st.composite
def time_lines(draw, name: str) -> str:
    """Generate a property with a date or a time, in any zone or none."""
    day = f"{draw(days):%Y%m%d}"
    at = f"{day}T{draw(clocks):%H%M%S}"
    zone = draw(zones)
    forms = [f";VALUE=DATE:{day}", f":{at}Z", f":{at}", f";TZID={zone}:{at}", f";TZID={zone}:{at}Z"]
    return name + draw(st.one_of(st.just(forms[1]), st.sampled_from(forms)))


lengths = st.sampled_from(["DURATION:PT90M", "DURATION:P1D", "DURATION:-PT2H", "DTEND:soon", ""])
starts, ends = time_lines("DTSTART"), st.one_of(time_lines("DTEND"), lengths)


@st.composite
def events(draw, start=starts, end=ends, *, is_override: bool = False) -> str:
    """Generate the lines of an event."""
    lines = [draw(uids), draw(start), draw(end), draw(rules)]
    lines += draw(st.lists(time_lines("EXDATE"), max_size=1))
    lines += draw(st.lists(time_lines("RDATE"), max_size=1))
    lines += draw(st.lists(no_time, max_size=1)) if is_override or draw(st.booleans()) else []
    if is_override:
        id_line = draw(time_lines("RECURRENCE-ID"))
        change = draw(st.booleans()) and id_line.replace("ID", "ID;RANGE=THISANDFUTURE", 1)
        lines.append(change or id_line)
    if draw(st.booleans()):
        lines.append("BEGIN:VALARM\nTRIGGER:-PT5M\nEND:VALARM")
    body = "\n".join(line for line in lines if line)
    return f"BEGIN:VEVENT\n{body}\nEND:VEVENT"


several = st.lists(st.one_of(events(), events(is_override=True)), max_size=4)


def file(*parts: str) -> str:
    return "\n".join(["BEGIN:VCALENDAR", OWN_ZONE, *parts, "END:VCALENDAR", ""])


def busy(text: str) -> list:
    return parse_calendar(text.encode(), "Europe/Berlin", START, END, {"ours"}, ME).busy


def busy_or_skip(text: str) -> list:
    try:
        return busy(text)
    except NotUnderstood:
        assume(False)
        raise


def holds(text: str, times: list) -> bool:
    """Say whether a file has all these times busy, or is refused."""
    try:
        found = busy(text)
    except NotUnderstood:
        return True
    return all(any(one.start <= t.start and t.end <= one.end for one in found) for t in times)


@given(several, events(), st.integers(0, 4))
def test_adding_an_event_frees_no_time(parts, added, place):
    before = busy_or_skip(file(*parts))
    assert holds(file(*parts[:place], added, *parts[place:]), before)


ALIKE = "BEGIN:VEVENT\nUID:a\nDTSTART:202603{:02}T{:02}0000Z\nDURATION:PT1H\n{}\n{}\nEND:VEVENT"
repeats = st.sampled_from(["", "RRULE:FREQ=DAILY;COUNT=3"])
changes = st.sampled_from(
    [
        *["", "RECURRENCE-ID:20260310T090000Z", "RECURRENCE-ID:20260310T090000Z\nSTATUS:CANCELLED"],
        "RECURRENCE-ID;RANGE=THISANDFUTURE:20260310T090000Z",
    ]
)


def alike(*changes) -> st.SearchStrategy[str]:
    """Generate events of one UID with few times, so that an override can belong to several."""
    hours = st.sampled_from([9, 12])
    return st.builds(ALIKE.format, st.sampled_from([9, 10]), hours, repeats, *changes)


@given(st.lists(alike(changes), min_size=1, max_size=3), alike(st.just("")), st.integers(0, 3))
def test_adding_an_event_to_others_of_its_uid_frees_no_time(parts, added, place):
    before = busy(file(*parts))
    assert holds(file(*parts[:place], added, *parts[place:]), before)


# Both are at 9 on the 10th, which is what overrides name.
BOTH = ALIKE.format(10, 9, "", ""), ALIKE.format(9, 9, "RRULE:FREQ=DAILY;COUNT=3", "")


@given(alike(changes), st.sampled_from([BOTH, BOTH[::-1]]))
def test_an_override_that_may_belong_to_either_of_two_events_frees_neither(override, pair):
    one, other = pair
    apart = file(one, override, other.replace("UID:a", "UID:b"))
    assert holds(file(one, other, override), busy(apart))


@given(several, st.data())
def test_removing_a_line_frees_no_time_unless_it_added_some(parts, data):
    text = file(*parts)
    before = busy_or_skip(text)
    lines = text.splitlines()
    numbers = [n for n, line in enumerate(lines) if not line.startswith(ADDS_TIME)]
    gone = data.draw(st.sampled_from(numbers))
    assert holds("\n".join(lines[:gone] + lines[gone + 1 :]), before)


@given(st.lists(events(), min_size=1, max_size=4))
def test_a_file_is_busy_whenever_one_of_its_events_is(parts):
    for part in parts:
        assert holds(file(*parts), busy_or_skip(file(part)))


NOWHERE = st.builds("DTSTART;TZID=Nowhere:{:%Y%m%d}T{:%H%M%S}".format, days, clocks)
TWO_CLOCKS = st.builds(
    "DTSTART;TZID={}:{:%Y%m%d}T{:%H%M%S}Z".format, st.sampled_from(NAMES), days, clocks
)


def without_exceptions(event: str) -> str:
    return "\n".join(line for line in event.splitlines() if not line.startswith("EXDATE"))


@given(events(NOWHERE).map(without_exceptions), st.sampled_from(ZONES))
def test_a_zone_that_is_not_known_is_busy_in_every_zone_that_it_could_be(event, zone):
    assert holds(file(event), busy_or_skip(file(event.replace("Nowhere", zone))))


@given(events(TWO_CLOCKS, lengths).map(without_exceptions))
def test_a_time_by_two_clocks_is_busy_by_each(event):
    start = next(line for line in event.splitlines() if line.startswith("DTSTART"))
    for one in (start[:-1], "DTSTART" + start[start.index(":") :]):
        assert holds(file(event), busy_or_skip(file(event.replace(start, one))))


NOTHING = [
    "BEGIN:VEVENT\nUID:a\nTRANSP:TRANSPARENT\nDTSTART:never\nRRULE:FREQ=NEVER\nEND:VEVENT",
    "BEGIN:VEVENT\nSTATUS:CANCELLED\nDTSTART;TZID=Nowhere:2026\nEXDATE:x\nEND:VEVENT",
    f"BEGIN:VEVENT\nATTENDEE;CN=Me;PARTSTAT=DECLINED:MAILTO:{ME}\nEND:VEVENT",
    "BEGIN:VEVENT\nUID:ours\nDTSTART:20260310T090000Z\nDURATION:PT9H\nEND:VEVENT",
    "BEGIN:VTODO\nDTSTART:20260310T090000Z\nDUE:never\nno property\nEND:VTODO",
    "BEGIN:VTODO\nUID:not closed",
    "BEGIN:VTIMEZONE\nTZID:Unused\nEND:VTIMEZONE",
    "CALSCALE:LUNAR\nX-WR-CALNAME:x\nDTSTART:20260310T090000Z\n<!-- cached -->",
    "END:VTODO",
]


@given(several, st.sampled_from(NOTHING), st.integers(0, 4))
def test_mistakes_in_events_without_busy_time_do_not_matter(parts, nothing, place):
    before = busy_or_skip(file(*parts))
    assert busy(file(*parts[:place], nothing, *parts[place:])) == before
    assert busy(f"\n{file(*parts)}<!-- cached at 09:00 -->\nX:1\n") == before


@pytest.mark.parametrize("alarm", ["TRIGGER:soon", "no property", "DTSTART:x\nRRULE:y\nTRANSP:z"])
def test_an_alarm_decides_nothing_about_its_event(alarm):
    event = "BEGIN:VEVENT\nDTSTART:20260310T090000Z\nDURATION:PT1H\n{}END:VEVENT"
    with_alarm = event.format(f"BEGIN:VALARM\n{alarm}\nEND:VALARM\n")
    assert busy(file(with_alarm)) == busy(file(event.format("")))
