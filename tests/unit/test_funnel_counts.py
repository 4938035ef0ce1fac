"""The funnel's counts: sums, shares and sorting."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_service.funnel.counts import (
    OTHERS,
    WEEK,
    Fact,
    FunnelStage,
    answered,
    count,
    monday,
    percent,
    progress,
    report,
    shortened,
    stopped,
)

MONDAY = date(2026, 11, 23)
STEPS = {"a": frozenset("12"), "b": frozenset("34"), "c": frozenset("56")}
names = st.sampled_from(["", "one", "two"])
facts = st.builds(
    Fact,
    st.integers(-6, 6).map(lambda number: MONDAY + number * WEEK),
    st.sampled_from(FunnelStage),
    st.integers(0, 50),
    article=names,
    source=names,
    first_source=names,
    kind=names,
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
def test_weeks_articles_and_sources_add_up_to_the_total(found):
    made = report(count(found), MONDAY - 2 * WEEK, MONDAY + WEEK)
    inside = [one for one in found if MONDAY - 2 * WEEK <= one.week < MONDAY + 2 * WEEK]
    for stage in FunnelStage:
        whole = sum(one.number for one in inside if one.what == stage)
        assert made.total[stage] == whole
        assert sum(line[stage] for _, line in made.weeks) == whole
        assert sum(line[stage] for _, line in made.articles) == whole
        assert sum(line[stage] for _, line in made.sources) == whole
        assert sum(line[stage] for _, line in made.first_sources) == whole
        of_calls = sum(one.number for one in inside if one.what == stage and one.kind)
        assert sum(line[stage] for _, line in made.kinds) == of_calls


@given(st.lists(facts), st.randoms())
def test_the_order_of_facts_does_not_matter(found, chance):
    shuffled = chance.sample(found, len(found))
    assert report(count(found), MONDAY, MONDAY) == report(count(shuffled), MONDAY, MONDAY)


def test_a_week_without_events_is_included():
    made = report(count([Fact(MONDAY, "started")]), MONDAY - 2 * WEEK, MONDAY)
    assert [(week, line["started"]) for week, line in made.weeks] == [
        (MONDAY - 2 * WEEK, 0),
        (MONDAY - WEEK, 0),
        (MONDAY, 1),
    ]


def test_the_article_with_most_calls_comes_first_and_none_last():
    found = [Fact(MONDAY, "started", 9, slug) for slug in ("", "idle", "busy")]
    found += [Fact(MONDAY, "booked", number, slug) for slug, number in (("", 5), ("busy", 1))]
    made = report(count(found), MONDAY, MONDAY)
    assert [article for article, _ in made.articles] == ["busy", "idle", ""]


def test_lines_beyond_the_most_are_added_up_and_the_unknown_one_stays():
    found = [Fact(MONDAY, "booked", number, name) for number, name in enumerate(("", *"abcd"), 1)]
    lines = shortened(report(count(found), MONDAY, MONDAY).articles, most=2)
    assert [(name, line["booked"]) for name, line in lines] == [
        *(("d", 5), ("c", 4), (OTHERS, 3 + 2), ("", 1))
    ]
    assert shortened(lines, most=3) == lines


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_share_is_a_whole_percentage_or_nothing(part, whole):
    share = percent(part, whole)
    if whole == 0 or part > whole:
        assert share is None
    else:
        assert abs(share - 100 * part / whole) <= 0.5


def test_shares_have_the_right_base_and_small_ones_are_marked():
    counted = {"started": 80, "completed": 40, "assessed": 10, "won": 3}
    counted |= {"booked": 16, "canceled": 4, "held": 6, "missed": 2}
    total = report(count(Fact(MONDAY, *one) for one in counted.items()), MONDAY, MONDAY).total
    shares = {what: total.share(what) for what in counted if what != "booked"}
    assert {what: (one.percent, one.whole) for what, one in shares.items() if one} == {
        "started": (100, 80),
        "completed": (50, 80),
        "assessed": (25, 40),
        "canceled": (25, 16),
        "held": (75, 8),
        "missed": (25, 8),
        "won": (50, 6),
    }
    assert [what for what, one in shares.items() if one and one.is_small] == [
        *("won", "canceled", "held", "missed")
    ]
    assert total.undecided == 4
    assert report({}, MONDAY, MONDAY).total.share("held") is None


@pytest.mark.parametrize(
    ("given_answers", "far"),
    [
        ("", [stopped("a")]),
        ("1234", [answered("a"), answered("b"), stopped("c")]),
        ("56", [answered("c"), stopped("a")]),
        ("1256", [answered("a"), answered("c"), stopped("b")]),
        ("12x", [answered("a"), stopped("b")]),
    ],
)
def test_people_stop_at_the_first_open_step(given_answers, far):
    assert progress(STEPS, frozenset(given_answers)) == far
