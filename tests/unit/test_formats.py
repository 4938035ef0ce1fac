"""How far ahead something is, as somebody says it who is about to begin."""

from datetime import UTC, datetime, timedelta

import pytest

from lead_service.formats import until

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (timedelta(minutes=-5), "now"),
        (timedelta(0), "now"),
        (timedelta(seconds=20), "in 1 minute"),
        (timedelta(minutes=25), "in 25 minutes"),
        (timedelta(minutes=119), "in 119 minutes"),
        (timedelta(minutes=121), "in 2 hours"),
        (timedelta(hours=24), ""),
    ],
)
def test_it_is_said_in_the_unit_that_helps(ahead, said):
    assert until(NOW + ahead, NOW) == said
