"""The clock and the first weekday by the browser's language."""

import pytest
from hypothesis import given

from lead_service.book.visitor.query_params import AMERICAN, Habits, habits_of
from tests.support.any_text import any_text

MONDAY, SATURDAY, SUNDAY = 0, 5, 6


@pytest.mark.parametrize(
    ("header", "is_24_hours", "first_weekday"),
    [
        ("", False, SUNDAY),
        ("en-US,en;q=0.9", False, SUNDAY),
        ("en", False, SUNDAY),
        ("en-GB,en;q=0.9", True, MONDAY),
        ("en-AU", False, MONDAY),
        ("de", True, MONDAY),
        ("de-AT,de;q=0.7,en-US;q=0.5", True, MONDAY),
        ("en-US;q=0.3, fr-FR;q=0.8", True, MONDAY),
        ("en-US; q=0.5, de; q=0.9", True, MONDAY),
        ("de;q=0, en-US;q=0.1", False, SUNDAY),
        ("de;q=0", False, SUNDAY),
        ("ja", True, SUNDAY),
        ("ar-EG", False, SATURDAY),
        ("xx-YY, de-DE;q=0.1", True, MONDAY),
        ("*", False, SUNDAY),
    ],
)
def test_habits_follow_the_preferred_language_that_is_known(header, is_24_hours, first_weekday):
    assert habits_of(header) == Habits(is_24_hours, first_weekday)


@given(any_text(max_size=300))
def test_any_header_has_habits(header):
    assert 0 <= habits_of(header).first_weekday <= 6
    assert habits_of("\x00" + "x" * 5000) == AMERICAN
