"""What a result says in sentences, for every set of answers."""

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_service.action_framework.loading import load
from lead_service.assess import text
from lead_service.assess.scoring import score

FRAMEWORK = load((Path(__file__).parents[3] / "docs" / "framework.yml").read_text("utf-8"))
LEVELS = st.lists(st.integers(0, 3), min_size=12, max_size=12)
PAIRS = [pair for pair in product(range(4), repeat=2) if pair != (3, 3)]


def result(levels):
    chosen = zip(FRAMEWORK.questions, levels, strict=True)
    return score(FRAMEWORK, {one.id: one.answers[level].id for one, level in chosen})


def of_one_gap(step, pair):
    """Answer everything best but the two questions of one step."""
    return result([level for one in FRAMEWORK.steps for level in (pair if one == step else (3, 3))])


@pytest.mark.parametrize("step", FRAMEWORK.steps, ids=lambda step: step.slug)
@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_the_gap_is_explained_in_two_sentences_that_quote_both_answers(step, pair):
    said = text.gap_sentences(of_one_gap(step, pair))
    for question, level in zip(step.questions, pair, strict=True):
        quoted = question.answers[level].text.removesuffix(".")
        assert f"“{quoted}" in said
        said = said.replace(f"“{quoted}", "“")
    assert said.count("“") == said.count("”")
    assert ".," not in said and "..”" not in said
    assert said.startswith("You said “")
    assert said.count(" That ") + said.count(" The other half ") == 1


@pytest.mark.parametrize(
    ("pair", "ends"),
    [
        ((0, 0), "without an answer that a rollout could rest on."),
        ((0, 2), "without an answer that a rollout could rest on."),
        ((1, 2), "for a trial, and not yet for a rollout."),
        ((2, 2), "for a trial, and not yet for a rollout."),
        ((3, 2), "against a starting point that we have measured.”"),
        ((0, 3), "has named a result in writing.”"),
    ],
)
def test_how_far_the_answers_reach_decides_what_is_made_of_them(pair, ends):
    assert text.gap_sentences(of_one_gap(FRAMEWORK.step("clarify"), pair)).endswith(ends)


@given(LEVELS)
def test_every_set_of_answers_has_a_headline_an_order_and_an_outcome(levels):
    scored = result(levels)
    gap = scored.widest_gap
    assert (text.gap_sentences(scored) == "") == (gap is None)
    assert (gap.name if gap else "Every condition is true") in text.headline(scored)
    assert (text.order(scored) == text.NOTHING_LEFT) == (not scored.to_become_true)
    assert ("No engagement" in text.outcome_title(scored)) == (scored.outcome.engagement is None)


@pytest.mark.parametrize(
    ("slug", "name"), [("clarify", "a Clarify gap"), ("organize", "an Organize gap")]
)
def test_a_gap_is_named_as_one_says_it(slug, name):
    assert text.headline(of_one_gap(FRAMEWORK.step(slug), (0, 0))).endswith(f"is {name}.")


def test_an_article_is_listed_for_the_gap_or_for_the_idea():
    scored = of_one_gap(FRAMEWORK.step("clarify"), (0, 0))
    assert text.why_read(0, "clarify", scored) == "On your widest gap"
    assert text.why_read(0, "organize", scored) == "The idea behind these questions"
    assert text.why_read(1, "clarify", scored) == "The idea behind these questions"


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ([3] * 12, "Chosen by rule: overall at 85 or more, and every step at 67 or more."),
        ([0] * 12, "Chosen by rule: Assess below 50 (yours: 0)."),
        ([3, 3, 1, 1, *[2] * 8], "Chosen by rule: Clarify below 60 (yours: 33)."),
        ([2] * 12, "Chosen by rule: Assess as the widest gap."),
        ([3, 3, 2, 2, 3, 3, 1, 1, *[2] * 4], "Chosen by rule: Implement as the widest gap."),
        ([3] * 10 + [1, 1], "Chosen by rule: none of the others applies."),
    ],
)
def test_the_rule_that_chose_the_engagement_is_written_down(levels, said):
    assert text.rule(result(levels)) == said


@given(LEVELS)
def test_every_rule_holds_for_the_scores_that_it_is_written_with(levels):
    scored = result(levels)
    percents = {one.step.slug: one.percent for one in scored.steps}
    assert all(percents[slug] < limit for slug, limit in scored.outcome.when.below.items())
    assert text.rule(scored).count("yours") == len(scored.outcome.when.below)
