"""The terms and the start of a call that a form posts back."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis.strategies import datetimes, just

from lead_service.book.forms import parse_start, start_text
from lead_service.book.terms import Terms, parse_terms


@pytest.mark.parametrize(
    "terms",
    [
        Terms(30, frozenset({"video"}), "$400 & tax", "Ann O'Neil"),
        Terms(45, frozenset({"phone", "video"})),
    ],
)
def test_terms_are_read_as_they_are_written(terms):
    assert parse_terms(str(terms)) == terms


@pytest.mark.parametrize(
    "text", ["", "30", "minutes=x&ways=video&price=&host=", "minutes=30&ways=video&price="]
)
def test_other_text_is_no_terms(text):
    assert parse_terms(text) is None


def test_each_changed_detail_is_named_with_both_values():
    before, after = Terms(30, frozenset({"video"}), "free", "Ben"), Terms(60, frozenset({"phone"}))
    assert after.changes_from(before) == [
        "60 minutes instead of 30 minutes",
        "no price instead of free",
        "by phone instead of by video",
        "any available host instead of Ben",
    ]
    assert replace(before, host="Ann").changes_from(before) == ["Ann instead of Ben"]
    assert before.changes_from(before) == before.changes_from(None) == []


@given(datetimes(datetime(2000, 1, 1), datetime(2199, 12, 31), timezones=just(UTC)))
def test_a_start_is_read_only_as_it_is_written(start):
    text = start_text(start)
    assert parse_start(text) == start.replace(second=0, microsecond=0)
    full_width = text.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})
    for other in (full_width, text.lower(), f" {text}"):
        assert parse_start(other) is None
