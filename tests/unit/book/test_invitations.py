"""The content of calendar files, into which a visitor's text can't inject lines."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from lead_service.book.invitations import (
    Meeting,
    cancellation,
    clean,
    google_link,
    invitation,
    outlook_link,
)
from tests.support.any_text import any_text

MEETING = Meeting(
    uid="7f3a@practice.example",
    sequence=3,
    start=datetime(2026, 3, 10, 9, 0, tzinfo=UTC),
    duration=45,
    summary="Discovery call with The Practice",
    description="Thirty minutes, no slides.\n\nTo move or cancel: https://practice.example/m/x",
    location="https://meet.example/room?a=1&b=2",
    url="https://meet.example/room?a=1&b=2",
    organizer_email="calls@practice.example",
    organizer_name="The Practice",
    attendee_email="ada+calls@client.example",
    attendee_name="Ada Byron",
    stamped_at=datetime(2026, 3, 1, 8, 30, tzinfo=UTC),
)
BOTH = [invitation, cancellation]

nasty = st.sampled_from(
    [
        *("\r\n", "\r", "\n", "\x00", "\x07", "\x1b", "\x0b", "\x1c", "\x7f", "\x85", "\u2028"),
        *("\\", "\\n", '"', "^", "^n", ":", ";", ",", "=", "%0A", "\u202e", "\u2066", "\u200d"),
        *("\nATTENDEE:mailto:eve@evil.example", '":mailto:eve@evil.example', "END:VEVENT"),
        *("\r\nATTACH:https://evil.example", "\u2029URL:https://evil.example", "\ud800", "🙂", "é"),
    ]
)
visitors_text = st.lists(nasty | any_text(max_size=60), max_size=6).map("".join)


def event_of(data: bytes):
    (event,) = Calendar.from_ical(data).walk("VEVENT")
    return event


def lines_of(data: bytes) -> list[str]:
    """Split lines at every character that Python treats as a line end."""
    return data.replace(b"\r\n ", b"").decode().splitlines()


def properties(data: bytes) -> list[str]:
    return [line.split(":")[0].split(";")[0] for line in lines_of(data)]


def test_an_invitation_asks_the_attendee_to_come():
    data = invitation(MEETING)
    event = event_of(data)
    assert Calendar.from_ical(data)["METHOD"] == "REQUEST"
    assert event["STATUS"] == "CONFIRMED"
    assert (event["UID"], event["SEQUENCE"]) == (MEETING.uid, 3)
    assert event["ATTENDEE"] == "mailto:ada+calls@client.example"
    assert event["ATTENDEE"].params["RSVP"] == "TRUE"
    assert event["ATTENDEE"].params["CN"] == "Ada Byron"
    assert event["ORGANIZER"] == "mailto:calls@practice.example"
    assert event["ORGANIZER"].params["CN"] == "The Practice"
    assert event["SUMMARY"] == MEETING.summary
    assert event["DESCRIPTION"] == MEETING.description
    assert event["LOCATION"] == MEETING.location


def test_the_visitor_has_accepted_and_is_not_asked_to_reply():
    params = event_of(invitation(replace(MEETING, has_accepted=True)))["ATTENDEE"].params
    assert (params["PARTSTAT"], params.get("RSVP")) == ("ACCEPTED", None)


def test_an_invitation_reminds_an_hour_before():
    (alarm,) = event_of(invitation(MEETING)).walk("VALARM")
    assert alarm["TRIGGER"].dt == timedelta(hours=-1)
    assert alarm["ACTION"] == "DISPLAY"


def test_a_cancellation_withdraws_the_same_event_without_asking_or_reminding():
    data = cancellation(MEETING)
    event = event_of(data)
    assert Calendar.from_ical(data)["METHOD"] == "CANCEL"
    assert event["STATUS"] == "CANCELLED"
    assert (event["UID"], event["SEQUENCE"]) == (MEETING.uid, 3)
    assert event["ATTENDEE"] == "mailto:ada+calls@client.example"
    assert "RSVP" not in event["ATTENDEE"].params
    assert not event.walk("VALARM")


@pytest.mark.parametrize("write", BOTH)
@pytest.mark.parametrize("hours", [-5, 0, 5.75])
def test_times_are_written_in_utc(write, hours):
    here = timezone(timedelta(hours=hours))
    meeting = replace(MEETING, start=datetime(2026, 3, 10, 23, 0, tzinfo=UTC).astimezone(here))
    lines = lines_of(write(meeting))
    assert {"DTSTART:20260310T230000Z", "DTEND:20260310T234500Z"} <= set(lines)
    assert "DTSTAMP:20260301T083000Z" in lines


def test_the_link_to_join_is_a_conference():
    (line,) = [line for line in lines_of(invitation(MEETING)) if line.startswith("CONFERENCE")]
    assert line.startswith("CONFERENCE;FEATURE=VIDEO;LABEL=Join the call;VALUE=URI:")
    assert line.endswith(":https://meet.example/room?a=1&b=2")


def test_a_call_by_phone_has_no_conference():
    assert "CONFERENCE" not in properties(invitation(replace(MEETING, url=None)))


@pytest.mark.parametrize("write", BOTH)
def test_an_attendee_without_a_name_has_no_cn(write):
    assert "CN" not in event_of(write(replace(MEETING, attendee_name="")))["ATTENDEE"].params


@pytest.mark.parametrize("name", ["start", "stamped_at"])
def test_an_instant_without_a_zone_is_refused(name):
    with pytest.raises(ValueError, match=name):
        replace(MEETING, **{name: datetime(2026, 3, 10)})


NAMES = [
    *("O'Neil", "O\u2019Neil", "Nguyễn Thị Hương", "عبد الله", "Zoë, Dr.", "Núñez; Sons"),
    *("\u0639\u0644\u06cc\u200c\u0646\u06cc\u0627", "\U0001f469\u200d\U0001f4bb Lu"),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_real_name_stays_as_it_is(name):
    assert clean(name) == name
    assert (
        event_of(invitation(replace(MEETING, attendee_name=name)))["ATTENDEE"].params["CN"] == name
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\x00b\x07c\x1bd", "abcd"),
        ("Ada\r\nATTENDEE:x", "AdaATTENDEE:x"),
        ("Ada\\", "Ada"),
        ("Ada \\ \\\\ ", "Ada"),
        ("C:\\Ada", "C:\\Ada"),
        ("\u202eevil\u2066\u200f", "evil"),
        ("a\u2028b\u2029c\x85d\ud800e", "abcde"),
    ],
)
def test_characters_that_calendar_readers_cannot_handle_are_removed(text, expected):
    assert clean(text) == expected


@given(visitors_text)
def test_cleaning_twice_is_cleaning_once(text):
    assert clean(clean(text)) == clean(text)


@given(st.sampled_from(BOTH), visitors_text, visitors_text)
def test_no_name_adds_a_line(write, name, place):
    plain = write(MEETING)
    data = write(replace(MEETING, attendee_name=name, organizer_name=place, location=place))
    assert properties(data) == properties(plain)
    event = event_of(data)
    assert not event.errors
    assert event["ATTENDEE"] == "mailto:ada+calls@client.example"
    assert event["ORGANIZER"] == "mailto:calls@practice.example"
    assert (event["UID"], event["SEQUENCE"]) == (MEETING.uid, 3)
    if "\\" not in name:  # readers differ on whether one within a name escapes what follows
        assert event["ATTENDEE"].params.get("CN", "") == clean(name)


@given(st.sampled_from(BOTH), visitors_text, visitors_text)
def test_no_other_text_adds_a_line(write, text, email):
    texts = dict.fromkeys(("summary", "description", "url", "uid"), "x" + text)
    emails = dict.fromkeys(("attendee_email", "organizer_email"), email)
    assert properties(write(replace(MEETING, **texts, **emails))) == properties(write(MEETING))


@given(st.sampled_from(BOTH), visitors_text)
def test_lines_end_in_crlf_and_are_at_most_75_octets_of_whole_characters(write, text):
    text *= 5
    data = write(replace(MEETING, attendee_name=text, summary=text, description=text))
    assert data.endswith(b"\r\n")
    for line in data.removesuffix(b"\r\n").split(b"\r\n"):
        assert len(line) <= 75
        assert b"\r" not in line
        assert b"\n" not in line
        line.decode()


def test_the_google_link_opens_the_call():
    address = urlsplit(google_link(MEETING))
    assert (address.scheme, address.netloc) == ("https", "calendar.google.com")
    assert parse_qs(address.query) == {
        "action": ["TEMPLATE"],
        "text": [MEETING.summary],
        "dates": ["20260310T090000Z/20260310T094500Z"],
        "details": [MEETING.description],
        "location": [MEETING.location],
    }


def test_the_outlook_link_opens_the_call():
    address = urlsplit(outlook_link(MEETING))
    assert (address.scheme, address.netloc) == ("https", "outlook.office.com")
    query = parse_qs(address.query)
    assert query["startdt"] == ["2026-03-10T09:00:00Z"]
    assert query["enddt"] == ["2026-03-10T09:45:00Z"]
    assert (query["subject"], query["body"]) == ([MEETING.summary], [MEETING.description])
    assert query["rru"] == ["addevent"]


@pytest.mark.parametrize("link", [google_link, outlook_link])
def test_a_link_has_no_personal_data_and_is_percent_encoded(link):
    address = link(MEETING)
    assert "Ada" not in address
    assert "client.example" not in address
    assert address.isascii()
    assert not set(" +<>\"'") & set(address)
    assert link(replace(MEETING, attendee_name="x", attendee_email="y@z.example")) == address
