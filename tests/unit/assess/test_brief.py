"""The brief for the call: the telling answers, and what to ask about them."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lead_service.action_framework.loading import load
from lead_service.assess.brief import SuggestionsError, build_brief, load_suggestions
from lead_service.assess.diagnosis import diagnose
from lead_service.assess.scoring import Incomplete, score

ROOT = Path(__file__).parents[3]
FRAMEWORK = load((ROOT / "docs" / "framework.yml").read_text("utf-8"))
TEXT = (ROOT / "lead_service" / "assess" / "brief.yml").read_text("utf-8")
DATA = yaml.load(TEXT, yaml.BaseLoader)
SUGGESTIONS = load_suggestions(TEXT, FRAMEWORK)
PLACES = {question.text: place for place, question in enumerate(FRAMEWORK.questions)}

LEVELS = st.lists(st.integers(0, 3), min_size=12, max_size=12)


def answers(levels):
    chosen = zip(FRAMEWORK.questions, levels, strict=True)
    return {question.id: question.answers[level].id for question, level in chosen}


def brief_of(levels):
    return build_brief(FRAMEWORK, answers(levels), SUGGESTIONS)


def faults(data):
    with pytest.raises(SuggestionsError) as refused:
        load_suggestions(data if isinstance(data, str) else json.dumps(data), FRAMEWORK)
    return str(refused.value)


@given(LEVELS)
def test_a_brief_agrees_with_the_result_that_the_visitor_saw(levels):
    made, result = brief_of(levels), score(FRAMEWORK, answers(levels))
    assert (made.scores, made.overall, made.band) == (result.steps, result.overall, result.band)
    assert (made.widest_gap, made.outcome) == (result.widest_gap, result.outcome)


@given(LEVELS)
def test_the_decisive_answers_are_those_that_the_diagnosis_lists_first(levels):
    made, diagnosis = brief_of(levels), diagnose(FRAMEWORK, answers(levels))
    listed = [one.question.text for one in (*diagnosis.to_do, *diagnosis.true)]
    assert [one.question for one in made.decisive] == listed[:3]
    assert made.diagnosis == diagnosis
    if diagnosis.begin_with:
        assert made.decisive[0].step == diagnosis.begin_with


@given(LEVELS)
def test_a_decisive_answer_is_quoted_in_the_words_that_were_chosen(levels):
    for one in brief_of(levels).decisive:
        question = FRAMEWORK.questions[PLACES[one.question]]
        assert one.answer == question.answers[levels[PLACES[one.question]]].text
        assert question in one.step.questions


@given(LEVELS)
def test_each_decisive_answer_brings_the_question_for_its_level(levels):
    made = brief_of(levels)
    assert len(set(made.questions)) == 3
    for one, asked in zip(made.decisive, made.questions, strict=True):
        place = PLACES[one.question]
        suggested = DATA[FRAMEWORK.questions[place].id]
        assert asked in [it["ask"] for it in suggested if str(levels[place]) in it["levels"]]


def test_a_stuck_rollout_without_a_payer_is_asked_about_the_payer_first():
    #         A     C     T     I     O     N
    levels = [2, 2, 1, 0, 2, 2, 0, 0, 2, 2, 2, 2]
    made = brief_of(levels)
    assert made.questions[0].startswith("Which budgets could pay for this")
    assert [one.step.slug for one in made.decisive] == ["clarify", "clarify", "implement"]


def test_an_unfinished_assessment_has_no_brief():
    with pytest.raises(Incomplete):
        build_brief(FRAMEWORK, {}, SUGGESTIONS)


def test_nothing_for_the_sales_team_stands_in_the_published_file():
    assert not [ask for ask in SUGGESTIONS.values() if ask in FRAMEWORK.text]


def test_every_suggestion_is_a_question_of_its_own():
    asked = [item["ask"] for items in DATA.values() for item in items]
    assert all(ask.endswith("?") for ask in asked)
    assert len(asked) == len(set(asked))


ITEM = {"levels": ["0", "1", "2", "3"], "ask": "What else?"}


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ([], "clarify-case: needs at least one suggestion"),
        ("What else?", "clarify-case: needs at least one suggestion"),
        ([ITEM | {"levels": ["0", "2"]}], "clarify-case: has nothing to ask at level 1, 3"),
        ([ITEM | {"ask": " "}], "clarify-case[0].ask: is empty"),
        ([ITEM | {"ask": ["Why?"]}], "clarify-case[0].ask: is empty"),
        ([ITEM | {"levels": ["0", "4"]}], "clarify-case[0].levels: must be a list of levels"),
        ([ITEM | {"levels": [["0"]]}], "clarify-case[0].levels: must be a list of levels"),
        ([ITEM | {"levels": "0123"}], "clarify-case[0].levels: must be a list of levels"),
        ([ITEM, ITEM | {"levels": ["1"]}], "clarify-case[1].levels: level 1 has a suggestion"),
        ([ITEM | {"tone": "warm"}], "clarify-case[0]: must hold levels and ask"),
        ([ITEM, "Why?"], "clarify-case[1]: must hold levels and ask"),
    ],
)
def test_a_fault_is_named_by_its_key(value, named):
    assert named in faults(DATA | {"clarify-case": value})


def test_a_question_without_suggestions_and_an_unknown_one_are_both_named():
    data = {key: items for key, items in DATA.items() if key != "assess-data-quality"}
    message = faults(data | {"assess-luck": [ITEM]})
    assert "assess-data-quality: needs at least one suggestion" in message
    assert "assess-luck: the framework has no such question" in message


def test_a_file_that_is_no_set_of_questions_is_refused():
    assert faults("").count("needs at least one suggestion") == 12
    assert "line 1" in faults("- a list")
    assert "line 1: does not fit" in faults("[")


def test_a_fault_names_its_line():
    line = TEXT.splitlines().index("clarify-case:") + 1
    message = faults(TEXT.replace("clarify-case:\n", "clarify-price:\n"))
    assert f"line {line}: clarify-price: the framework has no such question" in message
