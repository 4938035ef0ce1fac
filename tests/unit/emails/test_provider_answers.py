"""Outcomes of the provider's responses, and the time of the next try."""

import http.client
import socket
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import hypothesis.strategies as st
import pytest
from hypothesis import example, given
from werkzeug.datastructures import Headers

from lead_service.emails.message import EmailKind, Message
from lead_service.emails.transports.base import Permanent, Stop, Temporary, said
from lead_service.emails.transports.sendgrid import meaning, retry_at, silence
from lead_service.outbound import Answer
from tests.support.any_text import any_text

HEADER = st.text(st.characters(exclude_characters="\r\n"))
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def headers(**named: str) -> Headers:
    made = Headers()
    for name, value in named.items():
        made[name.replace("_", "-")] = value
    return made


def test_retry_after_is_read_as_seconds_and_as_a_date():
    in_an_hour = NOW + timedelta(hours=1)
    seconds = retry_at(headers(Retry_After="3600"), NOW)
    assert timedelta() <= seconds - in_an_hour <= timedelta(seconds=1)
    date = format_datetime(in_an_hour, usegmt=True)
    assert retry_at(headers(Retry_After=date), NOW) == in_an_hour


@pytest.mark.parametrize("text", ["", "soon", "-5", "1e9", "²", "Mon, 99 Foo 2026 99:99:99 GMT"])
def test_a_time_that_cannot_be_read_is_ignored(text):
    assert retry_at(headers(Retry_After=text, X_RateLimit_Reset=text), NOW) is None


@example(after="", reset="253402300800")  # the first second of the year 10000
@given(after=HEADER, reset=st.integers().map(str) | HEADER)
def test_no_header_makes_the_sender_wait_longer_than_a_day_or_fail(after, reset):
    time = retry_at(headers(Retry_After=after, X_RateLimit_Reset=reset), NOW)
    assert time is None or NOW < time <= NOW + timedelta(days=1, seconds=1)


@given(
    code=st.integers(100, 999),
    body=st.binary() | st.just(b"[" * 9_999) | any_text().map(str.encode),
)
def test_every_response_of_the_provider_has_an_outcome(code, body):
    meant = meaning(Answer(code, headers(), body), NOW)
    assert isinstance(meant, Temporary | Permanent | Stop)
    assert str(code) in meant.reason and "@" not in meant.reason and len(meant.reason) <= 200


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TimeoutError(), "the provider did not answer in time (TimeoutError)"),
        (ConnectionRefusedError(), "could not be reached (ConnectionRefusedError)"),
        (socket.gaierror(), "could not be reached (gaierror)"),
        (ssl.SSLError(), "has an invalid certificate (SSLError)"),
        (http.client.RemoteDisconnected(), "closed the connection (RemoteDisconnected)"),
        (http.client.BadStatusLine("ada@example.com"), "an invalid response (BadStatusLine)"),
        (ValueError("ada@example.com"), "the provider did not answer (ValueError)"),
    ],
)
def test_a_missing_response_is_explained_without_personal_data(error, words):
    told = silence(error)
    assert told.reason.endswith(words)
    assert "@" not in told.reason
    never_sent = ("could not be reached", "invalid certificate", "ValueError")
    assert told.may_have_left == (not any(one in words for one in never_sent))


@pytest.mark.parametrize(
    "words",
    [
        'Bad name "Vera Allteam" +1 212 555 0100',
        "vera.allteam(at)example.test",
        "vera.allteam%40example.test",
        "who is VERA?",
        "the key SG.secret",
    ],
)
def test_a_providers_message_is_repeated_without_personal_data(words):
    mail = Message(
        EmailKind.RESULT, "vera.allteam@example.test", "Vera Allteam", "Hello", "text", "<p>html"
    )
    told = said(words, mail, "SG.secret").lower()
    assert not any(one in told for one in ("vera", "allteam", "555", "sg.secret"))
