"""One diagnosis for every set of answers: where to begin, why, and the recommendation.

Sets are enumerated at the level of steps, and drawn at random at the level of answers.
"""

from collections import Counter
from itertools import product
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lead_service.action_framework.loading import load
from lead_service.action_framework.reasons import applies
from lead_service.assess.diagnosis import OutcomeKind, diagnose, sample
from tests.unit.action_framework.test_loading import FRAMEWORK, as_before

OLD = load(as_before(), kept=True)
RULES = FRAMEWORK.diagnosis
PHASES = st.sampled_from([None, *(phase.id for phase in FRAMEWORK.phases)])
CHOICES = st.tuples(*(st.sampled_from(one.choices) for one in FRAMEWORK.questions))


def diagnosis(levels, phase=None):
    chosen = zip(FRAMEWORK.questions, levels, strict=True)
    return diagnose(FRAMEWORK, {one.id: one.answers[level].id for one, level in chosen}, phase)


def of(A=(3, 3), C=(3, 3), T=(3, 3), I=(3, 3), O=(3, 3), N=(3, 3)):  # noqa: E741
    """Diagnose two levels for each step, by default the best ones."""
    return diagnosis([*A, *C, *T, *I, *O, *N])


def test_the_result_on_the_home_page_is_one_that_answers_can_give():
    home = (Path(__file__).parents[3] / "docs" / "index.md").read_text("utf-8").split("---")[1]
    shown = yaml.safe_load(home)["result"]
    points = [round(score * 6 / 100) for score in shown["scores"].values()]
    result = diagnosis([level for sum in points for level in (sum // 2, sum - sum // 2)])
    assert result.percents == shown["scores"]
    assert f"{result.headline} {result.beside}" == shown["headline"]


def of_choices(chosen, phase=None):
    ids = {one.id: it.id for one, it in zip(FRAMEWORK.questions, chosen, strict=True)}
    return diagnose(FRAMEWORK, ids, phase)


def names(steps):
    return [step.name for step in steps]


# Where to begin


@pytest.mark.parametrize(
    ("answers", "begin", "tied", "near", "unlocks"),
    [
        ({}, None, [], [], None),
        ({"A": (2, 2), "N": (2, 2)}, None, [], [], None),
        ({"C": (1, 0)}, "Clarify", [], [], None),
        ({"C": (1, 0), "O": (1, 1)}, "Clarify", [], ["Organize"], None),
        ({"C": (1, 0), "O": (1, 0)}, "Clarify", ["Organize"], [], None),
        ({"O": (0, 0), "T": (0, 0), "N": (0, 0)}, "Transform", ["Organize", "Nurture"], [], None),
        ({"I": (0, 0), "O": (0, 0)}, "Organize", ["Implement"], [], None),
        ({"I": (0, 0)}, "Implement", [], [], None),
        ({"I": (0, 0), "C": (1, 2)}, "Clarify", [], [], "Implement"),
        ({"I": (0, 0), "O": (1, 2)}, "Organize", [], [], "Implement"),
        ({"I": (0, 0), "O": (1, 1), "C": (1, 2)}, "Organize", [], ["Clarify"], "Implement"),
        ({"I": (0, 0), "O": (1, 2), "C": (1, 2)}, "Clarify", ["Organize"], [], "Implement"),
        ({"I": (0, 0), "C": (1, 3), "O": (2, 2)}, "Implement", [], [], None),
    ],
)
def test_the_headline_names_the_step_to_begin_with(answers, begin, tied, near, unlocks):
    made = of(**answers)
    assert made.headline.startswith(f"Begin with {begin}." if begin else "Every condition is true")
    assert (made.begin_with and made.begin_with.name) == begin
    assert (names(made.tied), names(made.near)) == (tied, near)
    assert (made.unlocks and made.unlocks.name) == unlocks


def test_steps_close_to_the_first_are_named_beside_it():
    assert of(C=(1, 0), O=(1, 1)).beside == "Organize is only slightly higher than Clarify."
    assert of(C=(1, 0), O=(1, 0)).beside == "Organize has the same score as Clarify."
    assert of(I=(0, 0), C=(1, 2)).beside == "That will unlock Implement."
    both = "Organize and Nurture are only slightly higher than Clarify."
    assert of(C=(0, 3), O=(1, 3), N=(1, 3), A=(2, 2)).beside == both  # Assess is no lower
    assert of(C=(1, 0)).beside == ""


@given(CHOICES, PHASES)
def test_only_steps_with_an_open_condition_are_named(chosen, phase):
    made = of_choices(chosen, phase)
    open_steps = {one.step.slug for one in made.open}
    named = [made.begin_with, *made.tied, *made.near, made.unlocks, *made.lower]
    assert {step.slug for step in named if step} <= open_steps


@given(CHOICES)
def test_the_step_to_begin_with_is_the_lowest_unless_one_that_waits_is(chosen):
    begins_rightly(of_choices(chosen))


def test_every_combination_of_steps_has_its_step_to_begin_with():
    for levels in product(range(4), repeat=6):
        begins_rightly(of(*((level, level) for level in levels)))


def begins_rightly(made):
    assert (made.begin_with is None) == (not made.open)
    if not made.open:
        return
    exact = {one.step.slug: one.exact for one in made.scores}
    lowest = min(exact[one.step.slug] for one in made.open)
    if made.unlocks:
        assert made.unlocks.slug == "implement" and exact["implement"] == lowest
        assert made.begin_with.slug in ("clarify", "organize")
        assert made.percents[made.begin_with.slug] < 67
    else:
        assert exact[made.begin_with.slug] == lowest


# Every part names the same step


@given(CHOICES, PHASES)
def test_headline_first_condition_article_engagement_and_reason_name_the_same_step(chosen, phase):
    made = of_choices(chosen, phase)
    if made.begin_with is None:
        assert (made.reading, made.outcome.kind) == ((), OutcomeKind.NOTHING)
        return
    slug = made.begin_with.slug
    assert made.headline == f"Begin with {made.begin_with.name}."
    assert made.to_do[0].step.slug == slug and made.to_do[0].is_open
    assert made.reading[0].slug == slug
    assert made.begin_with.name in made.reasons[0]
    if made.outcome.engagement:
        assert slug in made.outcome.engagement.begins_with


@given(CHOICES)
def test_every_condition_is_listed_once_the_open_ones_first(chosen):
    made = of_choices(chosen)
    listed = [one.question.id for one in (*made.to_do, *made.true)]
    assert sorted(listed) == sorted(one.id for one in FRAMEWORK.questions)
    assert {one.level for one in made.open} <= {0, 1}
    assert {one.level for one in made.nearly_true} <= {2}
    assert {one.level for one in made.true} <= {3}
    assert all(one.first_move for one in made.to_do)


def test_conditions_of_a_step_stay_together_in_the_order_of_the_file():
    made = of(C=(1, 0), N=(1, 1))
    assert [one.question.id for one in made.open] == [
        "clarify-case",
        "clarify-funding",
        "nurture-benefit",
        "nurture-answers",
    ]


def test_cannot_say_counts_as_the_worst_answer_with_its_own_first_move():
    chosen = [one.choices[-1] for one in FRAMEWORK.questions]
    made = of_choices(chosen)
    assert made.overall == 0
    assert len(made.open) == len(FRAMEWORK.questions)
    assert [one.first_move for one in made.open] == [one.question.cannot_say for one in made.open]


# What is recommended


@pytest.mark.parametrize(
    ("answers", "kind", "engagement"),
    [
        ({}, "nothing", None),
        ({"A": (2, 2), "C": (2, 2)}, "nothing", None),
        ({"O": (1, 3)}, "close-yourself", None),
        ({"O": (1, 1)}, "close-yourself", None),
        ({"O": (1, 3), "A": (1, 2)}, "close-yourself", None),
        ({"O": (0, 3)}, "engagement", "delivery-leadership"),
        ({"O": (1, 1), "N": (1, 3)}, "engagement", "delivery-leadership"),
        ({"A": (0, 0), "C": (0, 1)}, "engagement", "readiness-assessment"),
        ({"C": (0, 0)}, "engagement", "strategy-engagement"),
        ({"T": (0, 0)}, "engagement", "strategy-engagement"),
        ({"I": (0, 0)}, "engagement", "delivery-leadership"),
        ({"I": (0, 0), "C": (1, 2)}, "engagement", "strategy-engagement"),
        ({"N": (0, 1)}, "engagement", "delivery-leadership"),
    ],
)
def test_the_outcome_fits_the_open_conditions(answers, kind, engagement):
    outcome = of(**answers).outcome
    assert outcome.kind == kind
    assert (outcome.engagement and outcome.engagement.slug) == engagement


@given(CHOICES)
def test_nothing_is_sold_for_one_or_two_open_conditions_unless_one_is_at_its_worst(chosen):
    made = of_choices(chosen)
    weak = {one.step.slug for one in made.scores if one.percent < 60}
    serious = any(one.level == 0 and one.step.slug in weak for one in made.open)
    sold = made.outcome.kind == OutcomeKind.ENGAGEMENT
    assert sold == (len(made.open) > 2 or serious)


@given(CHOICES, PHASES)
def test_no_reason_contradicts_an_answer(chosen, phase):
    made = of_choices(chosen, phase)
    assert made.outcome.why and made.outcome.why in made.reasons
    if made.outcome.engagement:
        levels = {one.question.id: one.level for one in (*made.to_do, *made.true)}
        (said,) = [one for one in made.outcome.engagement.because if one.text == made.outcome.why]
        assert applies(said, levels)
        assert {FRAMEWORK.question(id) for id in said.open} <= {*_own(made.begin_with)}


def _own(step):
    return FRAMEWORK.step(step.slug).questions


def test_reasons_are_given_in_terms_of_the_scores():
    assert of(C=(1, 1)).reasons[0] == "Clarify is at 33, the lowest of all the steps."
    assert of(C=(1, 2), I=(0, 0)).reasons[0] == (
        "Implement is the lowest step, at 0, but it depends on Clarify, which is at 50."
    )
    assert of(C=(1, 2), I=(0, 2), N=(1, 1)).reasons[0] == (
        "Implement is one of the lowest steps, at 33, but it depends on Clarify, which is at 50."
    )
    tie = "Clarify is at 33, and Organize builds on it."
    assert of(C=(1, 1), O=(1, 1)).reasons[0] == tie
    assert of().reasons == (RULES.texts.complete,)
    assert of(C=(2, 3)).reasons == (RULES.texts.nothing,)
    assert "Only one condition is open" in of(C=(1, 3)).outcome.why
    assert "Only two conditions are open" in of(C=(1, 3), O=(3, 1)).outcome.why


@given(CHOICES)
def test_the_score_is_called_the_lowest_only_when_it_is(chosen):
    made = of_choices(chosen)
    if made.reasons[0].endswith("the lowest of all the steps."):
        others = [one.exact for one in made.scores if one.step.slug != made.begin_with.slug]
        (its,) = [one.exact for one in made.scores if one.step.slug == made.begin_with.slug]
        assert its < min(others)


# Typical companies, and a good adviser's recommendation


@pytest.mark.parametrize(
    ("phase", "levels", "begin", "outcome"),
    [
        ("pilot-stuck", [2, 1, 1, 0, 1, 1, 0, 0, 0, 1, 1, 0], "Clarify", "strategy-engagement"),
        ("pilot-stuck", [2, 2, 3, 3, 2, 2, 0, 1, 3, 2, 2, 2], "Implement", "delivery-leadership"),
        ("pilot-stuck", [2] * 12, None, "nothing"),
        ("idea", [0] * 12, "Assess", "readiness-assessment"),
        ("idea", [3, 3, 3, 3, 2, 1, 2, 3, 3, 2, 3, 2], "Transform", "close-yourself"),
        ("pilot-running", [3, 1, 3, 2, 0, 2, 2, 2, 2, 2, 2, 2], "Transform", "strategy-engagement"),
        ("pilot-running", [3, 3, 3, 3, 2, 1, 2, 2, 0, 0, 2, 2], "Organize", "delivery-leadership"),
        ("rolling-out", [2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1, 2], "Clarify", "close-yourself"),
        ("in-use", [3, 2, 3, 3, 2, 3, 3, 3, 3, 2, 2, 1], "Nurture", "close-yourself"),
        ("in-use", [3] * 12, None, "nothing"),
    ],
)
def test_typical_companies_get_the_advice_of_a_good_adviser(phase, levels, begin, outcome):
    made = diagnosis(levels, phase)
    engagement = made.outcome.engagement
    assert (made.begin_with and made.begin_with.name) == begin
    assert (engagement.slug if engagement else made.outcome.kind) == outcome


@pytest.mark.parametrize("levels", [[2] * 12, [3] + [2] * 11, [3] * 6 + [2] * 6, [3] * 12])
def test_a_result_with_no_open_condition_is_within_reach_or_nearer(levels):
    made = diagnosis(levels)
    assert made.outcome.kind == OutcomeKind.NOTHING
    assert made.band.name in ("Within reach", "Nearly everything in place", "Everything in place")


# A phase, an older version


@given(CHOICES, PHASES)
def test_a_phase_changes_words_and_nothing_else(chosen, phase):
    made, plain = of_choices(chosen, phase), of_choices(chosen)
    assert made.percents == plain.percents
    assert [one.question.id for one in made.to_do] == [one.question.id for one in plain.to_do]
    assert (made.outcome.kind, made.outcome.engagement) == (
        plain.outcome.kind,
        plain.outcome.engagement,
    )
    assert bool(made.opening) == bool(made.open and phase)
    assert (made.phase and made.phase.id) == phase


def test_a_best_answer_before_a_rollout_is_worded_as_a_decision():
    made = diagnosis([0] * 12, "idea")
    texts = {one.question.id: one.text for one in made.open}
    assert "each system it would connect to has agreed" in texts["implement-information"]
    assert "Dates are set for measuring the benefit after launch" in texts["nurture-benefit"]
    assert "will be trained" in texts["organize-help"]


@pytest.mark.parametrize("level", [2, 3])
def test_a_stuck_pilot_without_open_conditions_is_asked_for_other_causes(level):
    why = diagnosis([level] * 12, "pilot-stuck").outcome.why
    assert why.startswith(
        "Every condition is true or nearly true, but the initiative is still stuck."
    )


@given(CHOICES)
def test_results_of_versions_from_before_the_diagnosis_are_diagnosed_by_the_same_rules(chosen):
    levels = [one.level for one in chosen]
    answers = {q.id: q.answers[n].id for q, n in zip(OLD.questions, levels, strict=True)}
    made, now = diagnose(OLD, answers), diagnosis(levels)
    assert (made.headline, made.beside, made.percents) == (now.headline, now.beside, now.percents)
    assert made.outcome.kind == now.outcome.kind
    slug = made.outcome.engagement and made.outcome.engagement.slug
    assert slug == (now.outcome.engagement and now.outcome.engagement.slug)
    assert "" not in made.reasons


def test_an_unknown_phase_is_refused():
    with pytest.raises(KeyError):
        diagnosis([0] * 12, "retired")


@given(CHOICES)
def test_the_text_of_a_band_is_true_of_the_answers(chosen):
    made = of_choices(chosen)
    number, all_of_them = len(made.open), len(FRAMEWORK.questions)
    assert {
        "early": number > all_of_them / 2,
        "begun": number > 2,
        "partial": True,
        "close": number < all_of_them / 2,
        "ready": number <= 2,
        "complete": number == 0,
    }[made.band.slug]


# Shares of all sets of answers, from a sample that is always the same


def test_the_shares_of_all_sets_of_answers_are_those_that_were_intended():
    found = sample(FRAMEWORK, 800)
    begin = Counter(one.begin_with and one.begin_with.slug for one in found)
    intended = {"assess": 24, "clarify": 26, "transform": 17, "organize": 19, "implement": 3}
    intended |= {"nurture": 11, None: 0}
    for slug, percent in intended.items():
        assert begin[slug] / 8 == pytest.approx(percent, abs=3), slug


def test_most_sets_with_every_step_at_67_or_more_end_without_an_engagement():
    found = sample(FRAMEWORK, 400, at_least=67)
    assert sum(one.outcome.engagement is None for one in found) / 4 == pytest.approx(68, abs=5)
