"""The brief for the call: the decisive answers, and questions about them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lead_service.action_framework.suggestions import GENERAL, WORDS, load_suggestions
from lead_service.action_framework.yaml_source import DataError
from lead_service.assess.brief import CONTRADICTED, build_brief
from lead_service.assess.diagnosis import diagnose
from lead_service.assess.retake import compare
from lead_service.assess.text import change
from tests.support.any_text import any_text
from tests.unit.action_framework.test_loading import FRAMEWORK
from tests.unit.assess.test_scoring import LEVELS, answers

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "lead_service" / "assess" / "brief.yml").read_text("utf-8")
DATA = yaml.load(TEXT, yaml.BaseLoader)
SUGGESTIONS = load_suggestions(TEXT, FRAMEWORK)
PLACES = {question.text: place for place, question in enumerate(FRAMEWORK.questions)}

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
#        A     C     T     I     O     N
STUCK = [2, 2, 1, 0, 2, 2, 0, 0, 2, 2, 2, 2]


def brief_of(levels, words=""):
    return build_brief(diagnose(FRAMEWORK, answers(levels)), SUGGESTIONS, words)


def faults(data):
    with pytest.raises(DataError) as refused:
        load_suggestions(data if isinstance(data, str) else json.dumps(data), FRAMEWORK)
    return str(refused.value)


def asked_about(brief) -> list[str]:
    return [ask.condition.question.id for ask in brief.asks]


WORDS_OF_VISITORS = ["Who pays?", "Our data, our people, our budget.", "Compliance, GDPR"]


@given(LEVELS, st.sampled_from(WORDS_OF_VISITORS) | any_text())
def test_three_questions_begin_with_the_headlines_step_and_use_their_text(levels, words):
    made = brief_of(levels, words)
    assert any(one.wrote for one in made.asks) == bool(SUGGESTIONS.named_in(words))
    assert len(set(asked_about(made))) == len({one.text for one in made.asks}) == 3
    if made.diagnosis.begin_with:
        assert made.asks[0].condition.step == made.diagnosis.begin_with
        assert made.asks[0].condition.is_open


@given(LEVELS)
def test_each_question_follows_from_the_answer_that_was_given(levels):
    for one in brief_of(levels).asks:
        level = levels[PLACES[one.condition.question.text]]
        assert one.condition.answer == one.condition.question.answers[level]
        suggested = DATA[one.condition.question.id]
        assert one.text in [it["ask"] for it in suggested if str(level) in it["levels"]]


@given(LEVELS)
def test_open_conditions_are_asked_about_before_those_that_are_nearly_true(levels):
    made = brief_of(levels)
    assert sum(ask.condition.is_open for ask in made.asks) == min(3, len(made.diagnosis.open))


def test_three_questions_are_about_three_steps_when_all_is_open():
    assert len({one.condition.step.slug for one in brief_of([0] * 12).asks}) == 3


def test_a_stuck_rollout_without_a_payer_is_asked_about_the_payer_first():
    made = brief_of(STUCK, "Finance will not fund the rollout.")
    assert asked_about(made)[0] == "clarify-funding"
    assert made.asks[0].text.startswith("Which budgets could pay for this")
    assert [one.wrote for one in made.asks] == ["finance", "", ""]


@pytest.mark.parametrize(
    ("words", "id", "wrote"),
    [
        ("We have no BUDGET for more.", "clarify-funding", "budget"),
        ("Nobody trusts our\ndata", "assess-data-quality", "data"),
        ("Who is responsible when it goes wrong?", "transform-stop", "responsible"),
        ("The field crews ignore it", "organize-say", "ignore"),
        ("They are afraid of losing their jobs", "organize-say", "afraid"),
    ],
)
def test_the_next_question_is_about_a_condition_that_the_visitor_mentions(words, id, wrote):
    made = brief_of([0] * 12, words)
    assert id in asked_about(made)[:2]
    assert [one.wrote for one in made.asks if one.condition.question.id == id] == [wrote]


def test_conditions_named_only_by_a_general_word_come_last():
    words = "Employees paste customer data into ChatGPT. Legal is worried."
    made = brief_of([1] * 12, words)
    assert [one.wrote for one in made.asks][:2] == ["legal", "chatgpt"]


@pytest.mark.parametrize(
    ("words", "wrote"),
    [
        ("The CFO loves it and the budget is approved. But the nurses don't use it.", ["dont use"]),
        ("We never had a training problem and staff were involved from day one.", []),
        ("Budget is settled, the CFO signed it off.", []),
        ("It is NOT a budget problem - money is there.", []),
        (
            "Data quality isn't the issue, and neither is money. Two VPs fight over who decides.",
            ["decides"],
        ),
        ("We don't have any data problems…", []),
        ("Finance will not fund the rollout.", ["finance"]),
        ("There is no budget for more.", ["budget"]),
    ],
)
def test_a_denied_problem_selects_no_question(words, wrote):
    assert sorted({one.word for one in SUGGESTIONS.named_in(words).values()}) == wrote


def test_an_answer_that_their_text_contradicts_is_asked_about():
    made = brief_of([2, 2, 2, 0, *[2] * 8], "Budget is settled, the CFO signed it off.")
    assert made.asks[0].condition.question.id == "clarify-funding"
    assert made.asks[0].text == CONTRADICTED.format("budget")


def test_if_everything_is_true_the_first_question_is_about_their_text():
    made = brief_of([3] * 12, "Finance will not fund the rollout.")
    assert [one.wrote for one in made.asks] == ["finance", "", ""]


@pytest.mark.parametrize(
    ("words", "third", "wrote"),
    [
        ("Two people keep the data flowing.", "nurture-benefit", ""),  # the first is about that
        ("Compliance, GDPR", "assess-limits-listed", "compliance"),
        ("People fear for their jobs", "organize-say", "fear"),
    ],
)
def test_a_condition_that_is_true_comes_last_and_only_if_their_words_name_no_other(
    words, third, wrote
):
    made = brief_of([3, 3, 3, 3, 3, 3, 0, 1, 3, 3, 2, 3], words)
    assert asked_about(made) == ["implement-information", "implement-plan", third]
    assert made.asks[2].wrote == wrote


def test_a_word_inside_another_does_not_match():
    assert SUGGESTIONS.named_in("An update by postpaid spenders") == {}
    assert SUGGESTIONS.named_in("Funding") == {"clarify-funding": ("funding", False)}


def test_words_of_a_step_match_all_its_conditions():
    made = brief_of([0] * 12, "We cannot agree on priorities.")
    assert sorted(asked_about(made)[1:]) == ["clarify-case", "clarify-funding"]


def test_a_strength_is_called_true_only_when_it_is():
    assert brief_of([0] * 11 + [3]).opening.startswith("This is in place: ")
    nearly = brief_of([0] * 11 + [2])
    assert nearly.opening.startswith("They gave one of their strongest answers to ")
    assert FRAMEWORK.questions[-1].answers[2].text in nearly.opening
    assert FRAMEWORK.questions[-1].condition not in nearly.opening
    assert brief_of([0] * 12).opening.startswith("They didn\u2019t report anything")


@given(LEVELS)
def test_the_strength_is_the_best_there_is_and_never_an_open_condition(levels):
    made = brief_of(levels)
    best = [one.level for one in (*made.diagnosis.true, *made.diagnosis.nearly_true)]
    assert (made.strength and made.strength.level) == max(best, default=None)


def test_no_call_opens_with_a_strength_that_they_complain_about():
    words = "The business case convinces nobody; ROI unclear"
    other = brief_of([0, 0, 3, 3, 0, 2, *[0] * 6], words)
    assert other.strength.question.id == "transform-work" and not other.is_doubted
    only = brief_of([0, 0, 3, *[0] * 9], words)
    assert only.opening.startswith("They gave one of their strongest answers to ")
    unknown = brief_of([0, 0, 3, *[0] * 9], "It is stuck.")  # on an unknown subject
    assert unknown.opening.startswith("They gave one of their strongest answers to ")


# Since last time


def comparison(before, now):
    return compare(*(diagnose(FRAMEWORK, answers(levels)) for levels in (before, now)), AT)


@given(LEVELS, LEVELS)
def test_changes_are_listed_for_each_condition_with_another_answer(before, now):
    found = comparison(before, now)
    told = {one.now.question.id: (one.before.level, one.now.level) for one in found.changes}
    both = zip(FRAMEWORK.questions, before, now, strict=True)
    assert told == {one.id: (was, level) for one, was, level in both if was != level}
    directions = [one.direction for one in found.changes]
    assert directions == sorted(directions, reverse=True)  # worse before better
    assert not found.is_partial


def test_another_answer_at_the_same_level_is_neither_better_nor_worse():
    unsure = answers([0] * 12) | {"clarify-case": "cannot-say"}
    found = compare(diagnose(FRAMEWORK, unsure), diagnose(FRAMEWORK, answers([0] * 12)), AT)
    assert [one.direction for one in found.changes] == ["Different"]
    found = compare(diagnose(FRAMEWORK, unsure), diagnose(FRAMEWORK, answers([1] * 12)), AT)
    assert [one.direction for one in found.changes].count("Different") == 1  # no answer before
    assert "Open. You couldn\u2019t say before." in [change(one, False) for one in found.changes]


# The file


def test_the_published_file_contains_nothing_for_the_sales_team():
    assert not [ask for ask in SUGGESTIONS.asks.values() if ask in FRAMEWORK.text]


def test_every_suggestion_is_a_unique_question():
    asked = [
        item["ask"] for key, items in DATA.items() if key not in (WORDS, GENERAL) for item in items
    ]
    assert all(ask.endswith("?") for ask in asked)
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            {"clarify-luck": ["luck"]},
            "words.clarify-luck: the framework has no such question or step",
        ),
        ({"clarify": "goal"}, "words.clarify: must be a list"),
        ({"clarify": ["go"]}, "words.clarify[0]: must be lower-case letters"),
        ({"clarify": ["goal", "goal"]}, "words.clarify[1]: goal is here twice"),
    ],
)
def test_a_fault_in_the_list_of_words_is_reported(change, named):
    assert named in faults(DATA | {WORDS: DATA[WORDS] | change})


def test_every_step_has_words():
    rest = {key: words for key, words in DATA[WORDS].items() if not key.startswith("nurture")}
    assert "words: has no words for nurture" in faults(DATA | {WORDS: rest})
    assert "words: must be a set of keys" in faults({**DATA, WORDS: ["budget"]})
    assert "general[0]: is not under words" in faults({**DATA, GENERAL: ["luck"]})
    assert "general: must be a list" in faults({**DATA, GENERAL: "data"})


ITEM = {"levels": ["0", "1", "2", "3"], "ask": "What else?"}


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ([], "clarify-case: needs at least one, has 0"),
        ([ITEM | {"levels": ["0", "2"]}], "clarify-case: has nothing to ask at level 1, 3"),
        ([ITEM | {"ask": " "}], "clarify-case[0].ask: is empty"),
        (
            [ITEM | {"ask": "How is the pilot?"}],
            "clarify-case[0].ask: says “pilot”, which does not fit phase idea",
        ),
        ([ITEM | {"levels": ["0", "4"]}], "clarify-case[0].levels[1]: must be at most 3"),
        ([ITEM, ITEM | {"levels": ["1"]}], "clarify-case[1].levels: level 1 already has a"),
        ([ITEM | {"tone": "warm"}], "clarify-case[0].tone: unknown key"),
    ],
)
def test_a_fault_is_named_by_its_key(value, named):
    assert named in faults(DATA | {"clarify-case": value})


def test_a_question_without_suggestions_and_an_unknown_one_are_both_named():
    data = {key: items for key, items in DATA.items() if key != "assess-data-quality"}
    message = faults(data | {"assess-luck": [ITEM]})
    assert "assess-data-quality: is missing" in message
    assert "assess-luck: the framework has no such question" in message


def test_a_file_that_is_no_set_of_questions_is_refused():
    assert faults("").count("is missing") == 14
    assert "line 1" in faults("- a list")
    assert "line 1: does not fit" in faults("[")


def test_a_fault_names_its_line():
    line = TEXT.splitlines().index("clarify-case:") + 1
    message = faults(TEXT.replace("clarify-case:\n", "clarify-price:\n"))
    assert f"line {line}: clarify-price: the framework has no such question" in message
