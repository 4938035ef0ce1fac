"""The terms of a call that a form posts back."""

from dataclasses import replace

import pytest

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
