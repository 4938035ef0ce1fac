"""Parsing calendar files: busy times, ignored entries, and refused files."""

from datetime import UTC, datetime, timedelta

import pytest

from lead_service.book.calendars import rules
from lead_service.book.calendars.components import NotUnderstood
from lead_service.book.calendars.parse import parse_calendar
from lead_service.book.calendars.rules import MOST_TIMES

START = datetime(2026, 3, 1, tzinfo=UTC)  # a Sunday
END = START + timedelta(days=31)
NEW_YORK, LONDON = "America/New_York", "Europe/London"
# A zone defined in the file: an hour and a half ahead, all year.
OWN_ZONE = """BEGIN:VTIMEZONE
TZID:{}
BEGIN:STANDARD
DTSTART:16010101T000000
TZOFFSETFROM:+0130
TZOFFSETTO:+0130
END:STANDARD
END:VTIMEZONE"""


def calendar(*events: str, head: str = "") -> bytes:
    """Write a calendar of events, each given by its lines."""
    parts = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//EN", *head.splitlines()]
    for number, lines in enumerate(events):
        own = "" if "UID:" in lines else f"UID:event-{number}\n"
        parts += ["BEGIN:VEVENT", *(own + lines).strip().splitlines(), "END:VEVENT"]
    return "\r\n".join([*parts, "END:VCALENDAR", ""]).encode()


def busy(content: bytes, zone: str = LONDON, start=START, end=END, **more) -> str:
    """Write busy times as `dd hh:mm-hh:mm`, with the day of the end where it is another."""
    words = []
    for one in parse_calendar(content, zone, start, end, **more).busy:
        same = one.start.date() == one.end.date()
        words.append(f"{one.start:%d %H:%M}-{one.end:{'%H:%M' if same else '%d %H:%M'}}")
    return ", ".join(words)


NINE_UTC = "DTSTART:20260310T090000Z\nDTEND:20260310T100000Z\n"
NINE_NEW_YORK = f"DTSTART;TZID={NEW_YORK}:20260306T090000\nDTEND;TZID={NEW_YORK}:20260306T100000\n"
EACH_DAY = NINE_UTC + "RRULE:FREQ=DAILY;COUNT=4\n"

# fmt: off
READ = [
    ("an event in UTC", NINE_UTC, "10 09:00-10:00"),
    ("by its zone, across the clock change", NINE_NEW_YORK + "RRULE:FREQ=DAILY;COUNT=4",
     "06 14:00-15:00, 07 14:00-15:00, 08 13:00-14:00, 09 13:00-14:00"),
    ("a Windows name of a zone",
     "DTSTART;TZID=Eastern Standard Time:20260310T090000\nDURATION:PT1H", "10 13:00-14:00"),
    ("without a zone, by the host's clock, in summer",
     "DTSTART:20260330T090000\nDTEND:20260330T100000", "30 08:00-09:00"),
    ("a length in place of an end", "DTSTART:20260310T090000Z\nDURATION:PT90M", "10 09:00-10:30"),
    ("no end is no time", "DTSTART:20260310T090000Z", ""),
    ("over midnight", "DTSTART:20260310T230000Z\nDTEND:20260311T010000Z", "10 23:00-11 01:00"),
    ("a whole day", "DTSTART;VALUE=DATE:20260310", "10 00:00-11 00:00"),
    ("whole days, the last one excluded",
     "DTSTART;VALUE=DATE:20260310\nDTEND;VALUE=DATE:20260312", "10 00:00-12 00:00"),
    ("a whole day that ends on its own date",
     "DTSTART;VALUE=DATE:20260310\nDTEND;VALUE=DATE:20260310", "10 00:00-11 00:00"),
    ("a whole day of 23 hours", "DTSTART;VALUE=DATE:20260329", "29 00:00-23:00"),
    ("a weekend away that repeats",
     "DTSTART;VALUE=DATE:20260307\nDTEND;VALUE=DATE:20260309\nRRULE:FREQ=WEEKLY;COUNT=2",
     "07 00:00-09 00:00, 14 00:00-16 00:00"),
    ("transparent", NINE_UTC + "TRANSP:TRANSPARENT", ""),
    ("cancelled", NINE_UTC + "STATUS:CANCELLED", ""),
    ("in small letters", NINE_UTC + "TRANSP:transparent", ""),
    ("each day", EACH_DAY,
     "10 09:00-10:00, 11 09:00-10:00, 12 09:00-10:00, 13 09:00-10:00"),
    ("an exception", EACH_DAY + "EXDATE:20260311T090000Z",
     "10 09:00-10:00, 12 09:00-10:00, 13 09:00-10:00"),
    ("an exception that cannot be read is none", EACH_DAY + "EXDATE:never",
     "10 09:00-10:00, 11 09:00-10:00, 12 09:00-10:00, 13 09:00-10:00"),
    ("an exception by another zone's name",
     EACH_DAY + f"EXDATE;TZID={NEW_YORK}:20260311T050000",
     "10 09:00-10:00, 12 09:00-10:00, 13 09:00-10:00"),
    ("one time more", NINE_UTC + "RDATE:20260315T120000Z", "10 09:00-10:00, 15 12:00-13:00"),
    ("until an instant", NINE_UTC + "RRULE:FREQ=DAILY;UNTIL=20260311T090000Z",
     "10 09:00-10:00, 11 09:00-10:00"),
    ("until a time without a zone, by the clock of the event",
     NINE_NEW_YORK + "RRULE:FREQ=DAILY;UNTIL=20260308T090000",
     "06 14:00-15:00, 07 14:00-15:00, 08 13:00-14:00"),
    ("until midnight, which may mean the whole day",
     NINE_NEW_YORK + "RRULE:FREQ=DAILY;UNTIL=20260307T050000Z", "06 14:00-15:00, 07 14:00-15:00"),
    ("until midnight, when its last time begins",
     f"DTSTART;TZID={NEW_YORK}:20260306T190000\nDURATION:PT1H\n"
     "RRULE:FREQ=DAILY;UNTIL=20260308T000000Z", "07 00:00-01:00, 08 00:00-01:00"),
    ("a weekday that no month has",
     "DTSTART:20260330T090000Z\nDURATION:PT1H\nRRULE:FREQ=MONTHLY;BYDAY=53MO",
     "30 09:00-10:00, 31 09:00-10:00"),
    ("a length in months", "DTSTART:20260310T090000Z\nDURATION:P1M", "10 09:00-11 00:00"),
    ("until before it began", NINE_UTC + "RRULE:FREQ=DAILY;UNTIL=20250101T000000Z",
     "10 09:00-10:00"),
    ("two starts", "DTSTART:20260310T090000Z\nDTSTART:20260311T090000Z\nDURATION:PT1H",
     "10 09:00-10:00, 11 09:00-10:00"),
    ("an end that cannot be read", "DTSTART:20260310T090000Z\nDTEND:soon",
     "10 09:00-11 00:00"),
    ("in a zone that is not known", "DTSTART;TZID=Mars/Base:20260310T120000\nDURATION:PT1H",
     "09 22:00-11 01:00"),
    ("near an offset", "DTSTART;TZID=(UTC+05:00) Mars:20260310T120000\nDURATION:PT1H",
     "10 06:00-09:00"),
    ("an addition in a zone that is not known",
     NINE_UTC + "RDATE;TZID=Mars/Base:20260315T120000", "10 09:00-10:00, 14 22:00-16 01:00"),
    ("a zone and Z", f"DTSTART;TZID={NEW_YORK}:20260310T090000Z\nDURATION:PT1H",
     "10 09:00-10:00, 10 13:00-14:00"),
    ("a date with a zone", f"DTSTART;VALUE=DATE;TZID={NEW_YORK}:20260310", "10 00:00-11 00:00"),
    ("the end of the day as 24:00", "DTSTART:20260310T230000Z\nDTEND:20260310T240000Z",
     "10 23:00-11 00:00"),
    ("an offset", "DTSTART:20260310T090000+0530\nDURATION:PT1H", "10 03:30-04:30"),
    ("each fortnight, in a calendar of its own",
     "DTSTART:20260328T090000Z\nDURATION:PT1H\nRRULE:RSCALE=HEBREW;FREQ=MONTHLY",
     "28 09:00-10:00, 29 09:00-10:00, 30 09:00-10:00, 31 09:00-10:00"),
    ("days until midnight elsewhere",
     "DTSTART;VALUE=DATE:20260310\nRRULE:FREQ=DAILY;UNTIL=20260310T230000Z", "10 00:00-12 00:00"),
    ("a date more of a time", NINE_UTC + "RDATE;VALUE=DATE:20260315",
     "10 09:00-10:00, 15 00:00-16 00:00"),
    ("until and count, whichever is later", NINE_UTC + "RRULE:FREQ=DAILY;COUNT=2;UNTIL=20260310",
     "10 09:00-10:00, 11 09:00-10:00"),
    ("what Outlook calls working elsewhere",
     NINE_UTC + "TRANSP:OPAQUE\nX-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE", ""),
    ("what Outlook calls out of office",
     NINE_UTC + "TRANSP:TRANSPARENT\nX-MICROSOFT-CDO-BUSYSTATUS:OOF", "10 09:00-10:00"),
    ("the way to an event in Apple's calendar",
     NINE_UTC + "X-APPLE-TRAVEL-DURATION;VALUE=DURATION:PT45M\nRRULE:FREQ=DAILY;COUNT=2",
     "10 08:15-10:00, 11 08:15-10:00"),
    ("the way to it, over a clock change",
     f"DTSTART;TZID={LONDON}:20260329T020000\nDURATION:PT1H\nX-APPLE-TRAVEL-DURATION:PT30M",
     "29 00:30-02:00"),
    ("later", "DTSTART:20260501T090000Z\nDTEND:20260501T100000Z", ""),
    ("begun before, cut at the first instant",
     "DTSTART:20260201T000000Z\nDTEND:20260302T120000Z", "01 00:00-02 12:00"),
    ("lasting longer, cut at the last",
     "DTSTART:20260331T120000Z\nDTEND:20270101T000000Z", "31 12:00-01 00:00"),
    ("the end in another zone",
     f"DTSTART:20260310T090000Z\nDTEND;TZID={NEW_YORK}:20260310T060000", "10 09:00-10:00"),
    ("the hour that is missing", f"DTSTART;TZID={LONDON}:20260329T013000\nDURATION:PT1H",
     "29 01:30-02:30"),
    ("a length is elapsed time", f"DTSTART;TZID={LONDON}:20260329T003000\nDURATION:PT2H",
     "29 00:30-02:30"),
    ("an end is a reading of the clock",
     f"DTSTART;TZID={LONDON}:20260329T003000\nDTEND;TZID={LONDON}:20260329T023000",
     "29 00:30-01:30"),
    ("folded lines", "SUMM\r\n ARY:x\r\nDTSTART:20260310T09\r\n 0000Z\r\nDURATION:PT1H",
     "10 09:00-10:00"),
    ("broken properties of no matter",
     NINE_UTC + "DTSTAMP:yesterday\nSEQUENCE:one\nCREATED:x\nPRIORITY:high", "10 09:00-10:00"),
    ("Exchange's zone, with a bare colon",
     "DTSTART;TZID=tzone://Microsoft/Utc:20260310T090000\nDURATION:PT1H", "10 09:00-10:00"),
    ("an unknown zone of an event that is over",
     "DTSTART;TZID=Mars/Base:20120310T090000\nDTEND;TZID=Mars/Base:20120310T100000", ""),
    ("a broken line of no matter", NINE_UTC + "and a second line of a note", "10 09:00-10:00"),
]
# fmt: on


@pytest.mark.parametrize(("lines", "expected"), [row[1:] for row in READ], ids=[r[0] for r in READ])
def test_it_is_busy(lines, expected):
    assert busy(calendar(lines)) == expected


def test_events_that_overlap_or_touch_are_one_time():
    events = (NINE_UTC, NINE_UTC, "DTSTART:20260310T100000Z\nDURATION:PT1H")
    assert busy(calendar(*events)) == "10 09:00-11:00"


def test_one_time_of_a_series_can_be_moved_cancelled_or_freed():
    series = EACH_DAY + "UID:series\n"
    moved = "UID:series\nRECURRENCE-ID:20260311T090000Z\nDTSTART:20260311T150000Z\nDURATION:PT1H"
    off = f"UID:series\nRECURRENCE-ID:20260312T090000Z\n{NINE_UTC}STATUS:CANCELLED"
    free = "UID:series\nRECURRENCE-ID:20260313T090000Z\nDTSTART:20260313T090000Z\nDURATION:PT1H"
    content = calendar(series, moved, off, free + "\nTRANSP:TRANSPARENT")
    assert busy(content) == "10 09:00-10:00, 11 15:00-16:00"


def test_a_whole_day_means_the_hosts_date():
    day = calendar("DTSTART;VALUE=DATE:20260310")
    assert busy(day, "Pacific/Auckland") == "09 11:00-10 11:00"
    assert busy(day, "America/Los_Angeles") == "10 07:00-11 07:00"


def test_an_hour_that_is_read_twice_is_busy_both_times():
    start = datetime(2026, 10, 1, tzinfo=UTC)
    night = calendar("DTSTART:20261025T010000\nDTEND:20261025T013000")
    assert busy(night, start=start, end=start + timedelta(days=31)) == "25 00:00-01:30"


@pytest.mark.parametrize("name", ["Our Office", "tzone://Microsoft/Custom", "GMT+01:30"])
def test_a_file_may_bring_its_own_zones(name):
    lines = f"DTSTART;TZID={name}:20260310T090000\nDTEND;TZID={name}:20260310T100000"
    assert busy(calendar(lines, head=OWN_ZONE.format(name))) == "10 07:30-08:30"


def test_a_zone_that_the_file_defines_twice_is_busy_by_both_clocks():
    twice = OWN_ZONE.format("Our Office"), OWN_ZONE.format("Our Office").replace("01", "02")
    event = "DTSTART;TZID=Our Office:20260310T090000\nDURATION:PT1H"
    for head in ("\n".join(twice), "\n".join(reversed(twice))):
        assert busy(calendar(event, head=head)) == "10 06:30-08:30"


def test_times_without_a_zone_block_all_they_may_mean_if_the_files_zone_is_unknown():
    floating = "DTSTART:20260310T090000\nDURATION:PT1H"
    assert busy(calendar(floating, head="X-WR-TIMEZONE:Somewhere")) == "09 19:00-10 22:00"


def test_a_folded_note_may_look_like_an_event():
    assert busy(calendar(NINE_UTC + "DESCRIPTION:a\r\n BEGIN:VEVENT\r\n x")) == "10 09:00-10:00"


def test_our_own_calls_in_the_hosts_calendar_are_left_out():
    """They may have been moved since, and must not conflict with themselves."""
    ours = calendar(NINE_UTC + "UID:our-call", "DTSTART:20260311T090000Z\nDURATION:PT1H")
    assert busy(ours, ours={"our-call"}) == "11 09:00-10:00"


def test_todo_lists_and_alarms_take_no_time():
    todo = "BEGIN:VTODO\nUID:1\nDTSTART:20260310T090000Z\nDUE:20260310T100000Z\nEND:VTODO"
    alarm = "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT1H\nEND:VALARM"
    assert busy(calendar(NINE_UTC + alarm, head=todo)) == "10 09:00-10:00"


REFUSED = {
    "nothing": b"",
    "a page": b"<!doctype html><title>Sign in</title>",
    "bytes": bytes(range(256)),
    "an event alone": b"BEGIN:VEVENT\r\nEND:VEVENT\r\n",
    "cut short": calendar(NINE_UTC)[:-20],
    "cut within an event": calendar(NINE_UTC, NINE_UTC)[:-60],
    "an event that does not end": calendar(NINE_UTC).replace(b"END:VEVENT\r\n", b""),
    "no start": calendar("DTEND:20260310T100000Z"),
    "an alarm that does not end": calendar(NINE_UTC + "BEGIN:VALARM\nTRIGGER:-PT1H"),
    "a rule without bounds": calendar(NINE_UTC + "RRULE:FREQ=HOURLY;BYDAY=XX"),
    "a time of day": calendar("DTSTART;VALUE=TIME:090000"),
    "a rule of another kind": calendar(NINE_UTC + "RRULE:FREQ=SOMETIMES"),
    "a free-busy period of another kind": calendar(
        head="BEGIN:VFREEBUSY\nUID:1\nFREEBUSY:yes\nEND:VFREEBUSY"
    ),
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_an_unreadable_calendar_is_refused_entirely(content):
    with pytest.raises(NotUnderstood) as refused:
        busy(content)
    assert "2026" not in str(refused.value)


def test_a_file_beyond_the_limits_is_refused(monkeypatch):
    """Allow an event each minute but not two; three hours stand for the month."""
    assert 31 * 24 * 60 < MOST_TIMES < 2 * 31 * 24 * 60
    monkeypatch.setattr(rules, "MOST_TIMES", 3 * MOST_TIMES // (31 * 24))
    each_minute = "DTSTART:20260310T090000Z\nDURATION:PT1M\nRRULE:FREQ=MINUTELY;COUNT=180"
    assert busy(calendar(each_minute)) == "10 09:00-12:00"
    with pytest.raises(NotUnderstood, match="more events"):
        busy(calendar(each_minute, each_minute))
