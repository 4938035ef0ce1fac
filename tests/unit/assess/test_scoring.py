"""Scores and conditions for every set of answers."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_service.assess.scoring import Incomplete, UnknownAnswer, percent, progress, score
from tests.unit.action_framework.test_loading import FRAMEWORK

SLUGS = [step.slug for step in FRAMEWORK.steps]

LEVELS = st.lists(st.integers(0, 3), min_size=12, max_size=12)


def answers(levels):
    """Return the answer of each level, in the order of the questions."""
    chosen = zip(FRAMEWORK.questions, levels, strict=True)
    return {question.id: question.answers[level].id for question, level in chosen}


def result(levels):
    return score(FRAMEWORK, answers(levels))


def of_points(*points):
    """Give each step its points of six, spread as evenly as possible."""
    return result([level for total in points for level in (total // 2, total - total // 2)])


# Scores


@given(LEVELS)
def test_scores_are_the_sums_of_the_levels_as_percentages(levels):
    scored = result(levels)
    assert scored.overall_exact * 36 == 100 * sum(levels)
    assert [one.points for one in scored.steps] == [a + b for a, b in pairs(levels)]
    assert [one.exact * 6 for one in scored.steps] == [100 * (a + b) for a, b in pairs(levels)]
    assert [one.step.slug for one in scored.steps] == SLUGS


@given(st.integers(1, 400).flatmap(lambda best: st.tuples(st.integers(0, best), st.just(best))))
def test_display_rounds_halves_up_as_people_do(share):
    points, best = share
    exact = Decimal(100 * points) / Decimal(best)
    assert percent(points, best) == int(exact.quantize(Decimal(1), ROUND_HALF_UP))


@given(LEVELS, st.integers(0, 11))
def test_a_better_answer_lowers_no_score_and_opens_no_condition(levels, which):
    better = [min(3, level + (place == which)) for place, level in enumerate(levels)]
    before, after = result(levels), result(better)
    assert after.overall_exact >= before.overall_exact
    assert all(new.exact >= old.exact for old, new in zip(before.steps, after.steps, strict=True))
    assert all(one.level == 3 for one in after.already_true)
    assert {one.text for one in after.already_true} >= {one.text for one in before.already_true}


@given(LEVELS)
def test_the_band_holds_the_score_that_is_shown(levels):
    scored = result(levels)
    assert scored.band.lowest <= scored.overall <= scored.band.highest


# Conditions


@given(LEVELS)
def test_every_condition_is_true_or_has_a_first_move(levels):
    scored = result(levels)
    assert [one.question.id for one in scored.conditions] == list(answers(levels))
    for one in scored.conditions:
        assert (one in scored.already_true) == (one.level == 3) == (one.first_move is None)


def test_a_condition_brings_its_reason_and_the_first_move_of_the_chosen_answer():
    first = of_points(2, 6, 6, 6, 6, 6).conditions[0]
    question = FRAMEWORK.questions[0]
    assert (first.step.slug, first.text, first.reason) == (
        "assess",
        question.condition,
        question.reason,
    )
    assert first.first_move == question.answers[1].first_move


# Invalid answers


@pytest.mark.parametrize(
    "wrong", [{"clarify-case": "threshold"}, {"clarify-luck": "belief"}, {"clarify-case": None}]
)
def test_an_answer_that_is_not_on_offer_is_refused(wrong):
    with pytest.raises(UnknownAnswer):
        score(FRAMEWORK, answers([0] * 12) | wrong)


@given(LEVELS, st.sets(st.integers(0, 11), min_size=1))
def test_open_questions_are_named_in_their_order(levels, open_places):
    ids = [FRAMEWORK.questions[place].id for place in sorted(open_places)]
    given_so_far = {id: one for id, one in answers(levels).items() if id not in ids}
    with pytest.raises(Incomplete) as refused:
        score(FRAMEWORK, given_so_far)
    assert list(refused.value.missing) == ids


def test_progress_counts_answers_whatever_they_are():
    assert set(progress(FRAMEWORK, {}).values()) == {0}
    assert set(progress(FRAMEWORK, answers([0] * 12)).values()) == {100}
    begun = progress(FRAMEWORK, {"assess-data-quality": "part", "clarify-case": "baseline"})
    assert list(begun.items())[:3] == [("assess", 50), ("clarify", 50), ("transform", 0)]


def pairs(levels):
    """Split the levels into pairs, one for each step."""
    return list(zip(levels[::2], levels[1::2], strict=True))
