"""What a form says of a call, as it travels with the form."""

import pytest

from lead_service.book.terms import Terms, parse_terms


@pytest.mark.parametrize(
    "terms",
    [
        Terms(30, frozenset({"video"}), 7),
        Terms(45, frozenset({"phone", "video"})),
    ],
)
def test_terms_are_read_as_they_are_written(terms):
    assert parse_terms(str(terms)) == terms


@pytest.mark.parametrize("text", ["", "30", "x video 1", "30 video", "30 video 1 2", "30+ video 1"])
def test_other_text_is_no_terms(text):
    assert parse_terms(text) is None
