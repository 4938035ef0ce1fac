"""How long a mail that failed waits for its next try."""

from datetime import timedelta

import hypothesis.strategies as st
from hypothesis import given

from lead_service.emails.retries import FIRST_WAIT, LONGEST_WAIT, back_off

chances = st.floats(0, 1, exclude_max=True)


@given(tries=st.integers(1, 10_000), chance=chances)
def test_a_wait_lies_between_a_second_and_its_ceiling(tries, chance):
    ceiling = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(tries - 1, 20))
    assert timedelta(seconds=1) <= back_off(tries, chance) <= ceiling


@given(tries=st.integers(1, 100), chance=chances)
def test_a_wait_does_not_get_shorter_with_more_tries(tries, chance):
    assert back_off(tries, chance) <= back_off(tries + 1, chance)


@given(tries=st.integers(1, 20))
def test_backoff_uses_its_whole_range_so_that_emails_spread(tries):
    ceiling = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (tries - 1))
    assert back_off(tries, 0) == timedelta(seconds=1)
    assert back_off(tries, 0.999_999) > ceiling * 0.99
