"""Counting for the funnel: what is added up, and where nothing may get lost."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_service.funnel.counts import (
    WEEK,
    Fact,
    FunnelStage,
    answered,
    monday,
    percent,
    progress,
    report,
    stopped,
)

MONDAY = date(2026, 11, 23)
STEPS = {"a": frozenset("12"), "b": frozenset("34"), "c": frozenset("56")}
facts = st.builds(
    Fact,
    st.dates(MONDAY - 6 * WEEK, MONDAY + 6 * WEEK),
    st.sampled_from(["", "one", "two"]),
    st.sampled_from(FunnelStage),
    st.integers(0, 50),
)


@pytest.mark.parametrize("later", range(7))
def test_a_week_is_monday_to_sunday(later):
    assert monday(MONDAY + timedelta(days=later)) == MONDAY
    assert monday(MONDAY - timedelta(days=1)) == MONDAY - WEEK


@given(st.dates(date(1900, 1, 1), date(2200, 1, 1)))
def test_every_day_has_one_monday_at_most_six_days_before(day):
    assert monday(day).weekday() == 0
    assert timedelta(0) <= day - monday(day) < WEEK


@given(st.lists(facts))
def test_weeks_and_articles_add_up_to_the_total(found):
    made = report(found, MONDAY - 2 * WEEK, MONDAY + WEEK)
    inside = [one for one in found if MONDAY - 2 * WEEK <= one.day < MONDAY + 2 * WEEK]
    for stage in FunnelStage:
        whole = sum(one.number for one in inside if one.what == stage)
        assert made.total[stage] == whole
        assert sum(line[stage] for _, line in made.weeks) == whole
        assert sum(line[stage] for _, line in made.articles) == whole


@given(st.lists(facts), st.randoms())
def test_the_order_of_facts_does_not_matter(found, chance):
    shuffled = chance.sample(found, len(found))
    assert report(found, MONDAY, MONDAY) == report(shuffled, MONDAY, MONDAY)


def test_a_week_in_which_nothing_happened_is_there_too():
    made = report([Fact(MONDAY, "", "started")], MONDAY - 2 * WEEK, MONDAY)
    assert [(week, line["started"]) for week, line in made.weeks] == [
        (MONDAY - 2 * WEEK, 0),
        (MONDAY - WEEK, 0),
        (MONDAY, 1),
    ]


def test_the_article_with_most_calls_comes_first_and_none_last():
    found = [Fact(MONDAY, slug, "started", 9) for slug in ("", "idle", "busy")]
    found += [Fact(MONDAY, slug, "booked", number) for slug, number in (("", 5), ("busy", 1))]
    made = report(found, MONDAY, MONDAY)
    assert [article for article, _ in made.articles] == ["busy", "idle", ""]


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_share_is_a_whole_percentage_or_nothing(part, whole):
    share = percent(part, whole)
    if whole == 0 or part > whole:
        assert share is None
    else:
        assert abs(share - 100 * part / whole) <= 0.5


def test_rates_compare_with_those_who_could_have_got_there():
    found = [Fact(MONDAY, "", what, n) for what, n in (("started", 8), ("completed", 4))]
    found += [Fact(MONDAY, "", what, n) for what, n in (("booked", 6), ("assessed", 1), ("won", 1))]
    total = report(found, MONDAY, MONDAY).total
    assert total.rate("completed") == 50
    assert total.rate("assessed") == 25
    assert total.rate("held") == 0
    assert total.rate("won") is None


@pytest.mark.parametrize(
    ("given_answers", "far"),
    [
        ("", [stopped("a")]),
        ("1", [stopped("a")]),
        ("12", [answered("a"), stopped("b")]),
        ("1234", [answered("a"), answered("b"), stopped("c")]),
        ("56", [answered("c"), stopped("a")]),
        ("1256", [answered("a"), answered("c"), stopped("b")]),
        ("123456", [answered("a"), answered("b"), answered("c")]),
        ("12x", [answered("a"), stopped("b")]),
    ],
)
def test_people_stop_at_the_first_open_step(given_answers, far):
    assert progress(STEPS, frozenset(given_answers)) == far
