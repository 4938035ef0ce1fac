"""Verifying and parsing the provider's delivery events."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_service.emails.delivery_events import Event, is_genuine, parse_events
from tests.support.any_text import any_text
from tests.support.webhook_signing import PUBLIC_KEY, SENT_AT, sign

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
ID = "0" * 32
BODY = b'[{"event": "delivered"}]'
SIGNATURE, TIMESTAMP = sign(BODY)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(any_text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def read(**told) -> Event:
    (event,) = parse_events(json.dumps([{"outbox_id": ID, "timestamp": 1, **told}]).encode(), NOW)
    return event


def test_a_body_signed_by_the_provider_is_genuine_at_any_age():
    assert is_genuine(PUBLIC_KEY, BODY, *sign(BODY).values())
    long_ago = sign(BODY, "1000000000")
    assert is_genuine(PUBLIC_KEY, BODY, *long_ago.values())


def test_another_body_key_signature_or_time_is_not():
    signature, _ = sign(BODY).values()
    assert not is_genuine(PUBLIC_KEY, BODY + b" ", signature, SENT_AT)
    assert not is_genuine(PUBLIC_KEY, BODY, signature, "1790000001")
    assert not is_genuine(PUBLIC_KEY, BODY, sign(b"[]")[SIGNATURE], SENT_AT)
    assert not is_genuine("", BODY, signature, SENT_AT)
    assert not is_genuine("no key", BODY, signature, SENT_AT)


def test_a_digit_moved_between_the_time_and_the_body_is_not_genuine():
    body = b"[1]"
    signature, _ = sign(body, "1790000000").values()
    assert not is_genuine(PUBLIC_KEY, b"0" + body, signature, "179000000")
    longer, _ = sign(b"5" + body, "1790000000").values()
    assert not is_genuine(PUBLIC_KEY, body, longer, "17900000005")


@pytest.mark.parametrize("timestamp", ["", "now", "١٧٩٠٠٠٠٠٠٠", "1790000000 ", "1790000000\n"])
def test_a_time_is_ten_plain_digits(timestamp):
    body = BODY
    signature = sign(body, timestamp)[SIGNATURE]
    assert not is_genuine(PUBLIC_KEY, body, signature, timestamp)


@given(body=st.binary(), signature=any_text(), timestamp=any_text())
def test_junk_is_never_genuine_and_never_an_error(body, signature, timestamp):
    assert not is_genuine(PUBLIC_KEY, body, signature, timestamp)


@given(st.lists(JSON))
def test_any_list_is_read_without_an_error(told):
    assert parse_events(json.dumps(told).encode(), NOW) == []


@given(st.dictionaries(st.sampled_from(["sg_event_id", "timestamp", "reason", "status"]), JSON))
def test_any_event_can_be_stored_on_both_databases(told):
    event = read(**{"event": "bounce"} | told)
    assert event.at <= NOW
    assert len(event.digest) == 64
    assert len(event.reason) <= 200 and event.reason.isprintable()


@pytest.mark.parametrize(
    "told",
    [
        {"event": "open", "outbox_id": ID},
        {"event": "account_status_change", "outbox_id": ID},
        {"event": "delivered"},
        {"event": "delivered", "outbox_id": "of somebody else"},
        {"event": ["delivered"], "outbox_id": ID},
        {"event": "delivered", "outbox_id": 7},
        "delivered",
    ],
)
def test_unknown_event_types_are_ignored(told):
    assert (
        parse_events(json.dumps([told, {"event": "delivered", "outbox_id": ID}]).encode(), NOW)[1:]
        == []
    )


@pytest.mark.parametrize("at", ["soon", None, [], 0, 1e300, "1" * 30, -1e20, "NaN", 99_999_999_999])
def test_a_time_that_cannot_be_or_lies_ahead_is_the_present(at):
    assert read(event="delivered", timestamp=at).at == NOW


def test_a_time_is_read_as_seconds_since_1970():
    a_minute_ago = int((NOW - timedelta(minutes=1)).timestamp())
    assert read(event="delivered", timestamp=a_minute_ago).at == NOW - timedelta(minutes=1)
    assert read(event="delivered", timestamp=str(a_minute_ago)).at == NOW - timedelta(minutes=1)


def test_an_event_without_an_id_is_identified_by_its_content():
    first, again = (read(event="dropped", reason="Invalid") for _ in range(2))
    assert first.digest == again.digest
    assert first.digest != read(event="dropped", reason="Invalid", attempt="2").digest


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            {"event": "bounce", "status": "5.1.1", "reason": "550 5.1.1 <ada@example.com> unknown"},
            "there is no such mailbox (5.1.1)",
        ),
        (
            {"event": "bounce", "reason": "552 5.2.2 full"},
            "the mailbox doesn't accept email (5.2.2)",
        ),
        ({"event": "bounce", "reason": "500 go away"}, "their server refused it (500)"),
        (
            {
                "event": "bounce",
                "bounce_classification": "Reputation",
                "reason": "see evil.example",
            },
            "their server does not trust the provider",
        ),
        ({"event": "bounce"}, "their server refused it"),
        (
            {"event": "deferred", "response": "451 4.7.1 later"},
            "their mail server asked us to wait (4.7.1)",
        ),
        (
            {"event": "dropped", "reason": "Bounced Address"},
            "email to this address bounced before",
        ),
        ({"event": "dropped", "reason": "<b>"}, "the provider did not try to deliver it"),
        ({"event": "delivered", "response": "250 OK for ada@example.com"}, ""),
    ],
)
def test_reasons_are_in_our_words_with_the_server_s_code(told, words):
    assert read(**told).reason == words


@given(any_text(), st.sampled_from(["bounce", "deferred", "dropped", "spamreport"]))
def test_no_address_of_a_server_s_answer_is_kept(text, kind):
    said = f"{text} ada@example.com www.example.com {text}"
    event = read(event=kind, reason=said, response=said, status=said, bounce_classification=said)
    assert "@" not in event.reason and "example" not in event.reason
