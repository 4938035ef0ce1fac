"""Loading the framework file, and the report of each kind of fault."""

import copy
import json
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lead_service.action_framework.loading import load
from lead_service.action_framework.yaml_source import DataError
from tests.support.any_text import any_text

TEXT = (Path(__file__).parents[3] / "docs" / "framework.yml").read_text("utf-8")
DATA = yaml.load(TEXT, yaml.BaseLoader)
FRAMEWORK = load(TEXT)
REMOVED = object()


def changed(*changes):
    """Return the published file's text with values at paths replaced, as JSON, which is YAML."""
    data = copy.deepcopy(DATA)
    for path, value in changes:
        *above, last = path
        place = data
        for key in above:
            place = place[key]
        if value is REMOVED:
            del place[last]
        else:
            place[last] = value
    return json.dumps(data, ensure_ascii=False)


def faults(text):
    with pytest.raises(DataError) as refused:
        load(text)
    return str(refused.value)


def as_before():
    """Return the file in the format before phases, "I can't say yet" and the diagnosis."""
    data = copy.deepcopy(DATA)
    for key in ("phase_question", "phases", "diagnosis"):
        del data[key]
    for question in (one for step in data["steps"] for one in step["questions"]):
        question.pop("cannot_say")
        question.pop("wordings", None)
    for engagement in data["engagements"]:
        del engagement["begins_with"], engagement["because"]
    data["outcomes"] = [{"engagement": "none", "when": {}, "why": "Nothing is needed."}]
    return json.dumps(data, ensure_ascii=False)


def values(data, path=()):
    """Yield the path of every value in the file."""
    items = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in items:
        yield (*path, key)
        if not isinstance(value, str):
            yield from values(value, (*path, key))


# What is published


def test_the_six_letters_spell_the_word():
    assert "".join(step.letter for step in FRAMEWORK.steps) == "ACTION"
    assert all(step.name.startswith(step.letter) for step in FRAMEWORK.steps)


def test_every_question_has_four_answers_and_one_for_those_who_cannot_say():
    for question in FRAMEWORK.questions:
        assert [answer.level for answer in question.answers] == [0, 1, 2, 3]
        assert [answer.level for answer in question.choices] == [0, 1, 2, 3, 0]
        assert question.choices[-1].text == "I can\u2019t say yet."
        assert question.answer("cannot-say").first_move == question.cannot_say


@pytest.mark.parametrize("count", [1, 3])
def test_a_step_may_have_one_to_three_questions(count):
    questions = [QUESTIONS[0] | {"id": f"clarify-{n}"} for n in range(count)]
    because = [{"open": [f"clarify-{n}"], "text": f"Settle this first: {n}."} for n in range(count)]
    work = [one for one in DATA["engagements"][1]["because"] if "transform" in one["open"][0]]
    text = changed((("steps", 1, "questions"), questions), (BECAUSE, because + work))
    assert len(load(text).step("clarify").questions) == count


@pytest.mark.parametrize("phase", [None, *FRAMEWORK.phases], ids=lambda one: one and one.id)
def test_no_answer_is_too_long_to_read_at_a_glance(phase):
    for question in FRAMEWORK.in_phase(phase and phase.id).questions:
        assert len(question.text.split()) <= 14
        assert all(len(answer.text.split()) <= 18 for answer in question.answers)


@pytest.mark.parametrize("phase", [None, *FRAMEWORK.phases], ids=lambda one: one and one.id)
def test_no_sentence_is_said_twice(phase):
    said = [
        text
        for question in FRAMEWORK.in_phase(phase and phase.id).questions
        for text in (
            question.text,
            question.reason,
            question.condition,
            question.cannot_say,
            *(answer.text for answer in question.answers),
            *(answer.first_move for answer in question.answers[:3]),
        )
    ]
    assert len(said) == len(set(said))


def test_equal_texts_are_one_framework_to_a_cache():
    assert len({FRAMEWORK, load(TEXT)}) == 1
    assert len({*FRAMEWORK.steps, *FRAMEWORK.engagements}) == 6 + len(FRAMEWORK.engagements)


def test_the_version_follows_the_content():
    assert load(TEXT).version == FRAMEWORK.version
    assert load(TEXT + "# a word more\n").version != FRAMEWORK.version
    assert FRAMEWORK.text == TEXT


def test_a_word_that_yaml_takes_for_a_value_stays_a_word():
    step = load(TEXT.replace("name: Assess\n", "name: No\n")).steps[0]
    assert step.name == "No"


# Phases


def test_each_phase_has_its_words_and_everything_else_stays():
    idea, plain = FRAMEWORK.in_phase("idea"), FRAMEWORK.in_phase(None)
    assert plain is FRAMEWORK
    assert (
        idea.question("implement-information").text
        == "How will the system get the information it needs?"
    )
    assert idea.question("clarify-case").text == FRAMEWORK.question("clarify-case").text
    running, stuck = FRAMEWORK.in_phase("pilot-running"), FRAMEWORK.in_phase("pilot-stuck")
    same = zip(running.questions, stuck.questions, strict=True)
    assert sum(one.reason != other.reason for one, other in same) >= 6
    assert stuck.question("organize-say").text == running.question("organize-say").text
    assert [one.id for one in idea.questions] == [one.id for one in FRAMEWORK.questions]
    assert idea.version == FRAMEWORK.version
    for one, same in zip(idea.questions, FRAMEWORK.questions, strict=True):
        assert [it.id for it in one.choices] == [it.id for it in same.choices]
        assert [it.level for it in one.choices] == [it.level for it in same.choices]
    with pytest.raises(KeyError):
        FRAMEWORK.in_phase("retired")


def test_a_visitor_without_a_pilot_or_past_it_never_reads_about_one():
    for phase in ("idea", "rolling-out", "in-use"):
        for question in FRAMEWORK.in_phase(phase).questions:
            moves = [answer.first_move or "" for answer in question.choices]
            answers = [answer.text for answer in question.answers]
            texts = [question.text, question.reason, question.condition, *moves, *answers]
            assert "pilot" not in " ".join(texts).lower()


# Versions that were published before


def test_a_version_from_before_phases_opens_and_a_new_one_without_them_is_refused():
    old = load(as_before(), kept=True)
    assert (old.phases, old.phase_question) == ((), None)
    assert old.diagnosis.order == FRAMEWORK.diagnosis.order
    assert [len(one.choices) for one in old.questions] == [4] * len(old.questions)
    refused = faults(as_before())
    assert "phases: is missing" in refused and "diagnosis: is missing" in refused


# What each recommendation may say


def test_a_set_of_answers_without_a_reason_is_named():
    because = [one for one in DATA["engagements"][1]["because"] if one["open"] != ["clarify-case"]]
    said = faults(changed((BECAUSE, because)))
    assert "engagements[1].because: has no sentence for clarify-case when open" in said


def test_a_reason_that_no_answers_lead_to_is_named():
    because = DATA["engagements"][1]["because"]
    said = faults(changed((BECAUSE, [*because, because[0] | {"text": "Once more."}])))
    assert f"because[{len(because)}]: is never shown" in said


def test_a_count_that_is_written_out_is_named():
    text = ("diagnosis", "texts", "close_yourself")
    said = faults(changed((text, "Only two conditions are open.")))
    assert "diagnosis.texts.close_yourself: must contain {number}" in said


# What is refused, and how it is named

QUESTION = ("steps", 1, "questions", 0)
ANSWERS = (*QUESTION, "answers")
QUESTIONS = DATA["steps"][1]["questions"]
ANSWER = QUESTIONS[0]["answers"][0]
IDEA = ("steps", 3, "questions", 0, "wordings", "idea")
BECAUSE = ("engagements", 1, "because")
BAND = DATA["bands"][0]
ENGAGEMENT = DATA["engagements"][0]


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("steps",), REMOVED, "steps: is missing"),
        (("extra",), "x", "extra: unknown key"),
        (("steps", 0, "extra"), "x", "steps[0].extra: unknown key"),
        (("steps",), DATA["steps"][:5], "steps: needs six steps, has 5"),
        (("steps", 1, "letter"), "X", "steps: the letters must spell ACTION, they spell AXTION"),
        (("steps", 1, "slug"), "assess", "steps[1].slug: assess is used twice"),
        (("steps", 1, "slug"), "Big Words", "steps[1].slug: must be lower-case words"),
        (("steps", 2, "skipped"), "  ", "steps[2].skipped: is empty"),
        (("steps", 2, "signs"), ["one", "two"], "steps[2].signs: needs three signs, has 2"),
        (("steps", 2, "first_moves"), ["one"], "first_moves: needs three first moves, has 1"),
        (("steps", 3, "work"), "testing", "steps[3].work: must be a list"),
        (("steps", 3, "name"), ["Build"], "steps[3].name: must be text"),
        (("steps", 4), "Organize", "steps[4]: must be a set of keys"),
        (("steps", 4, "questions"), [], "steps[4].questions: needs at least one, has 0"),
        (("steps", 4, "questions"), [QUESTIONS[0]] * 4, "needs three questions at most, has 4"),
        ((*QUESTION, "id"), "nurture-benefit", "nurture-benefit is used twice"),
        ((*QUESTION, "cannot_say"), REMOVED, "questions[0].cannot_say: is missing"),
        ((*ANSWERS, 1, "id"), "cannot-say", "answers[1].id: cannot-say stands for"),
        ((*QUESTION, "wordings"), {"later": {}}, "wordings.later: no phase has this wording"),
        ((*IDEA, "answers", "best"), "x", "wordings.idea.answers.best: no answer has this id"),
        ((*IDEA, "first_moves", "best"), "x", "first_moves.best: no answer has this id"),
        ((*IDEA, "first_moves", "every-team"), "x", "first_moves.every-team: only the best"),
        (("phases",), [], "phases: needs at least one phase"),
        (("phases", 1, "id"), "idea", "phases: idea is used 2 times"),
        ((*ANSWERS, 0, "first_move"), "End the trial.", "answers[0].first_move: says “trial”"),
        ((*IDEA, "condition"), "The pilot ended.", "wordings.idea.condition: says “pilot”"),
        (("phases", 0, "opening"), "The pilot ended.", "phases[0].opening: says “pilot”"),
        (("phases", 2, "wording", 1), "lost", "wordings.stuck: no phase has this wording"),
        (("bands", 0, "text"), "The pilot is over.", "bands[0].text: says “pilot”"),
        ((*BECAUSE, 0, "text"), "The pilot ended.", "because[0].text: says “pilot”"),
        (("diagnosis", "texts", "nothing"), "The pilot ended.", "nothing: says “pilot”"),
        (("diagnosis", "order", 0), "clarify", "diagnosis.order: must name each step once"),
        (("diagnosis", "waits", "step"), "later", "diagnosis.waits: there is no step later"),
        (("diagnosis", "waits", "until"), ["later"], "diagnosis.waits: there is no step later"),
        (("engagements", 0, "begins_with"), [], "engagements: no engagement begins with assess"),
        (("engagements", 0, "begins_with"), ["plan"], "begins_with[0]: there is no step plan"),
        (("engagements", 1, "begins_with", 0), "assess", "assess also has another engagement"),
        ((*BECAUSE, 0, "open"), [], "engagements[1].because[0].open: needs at least one"),
        ((*BECAUSE, 0, "open", 1), "luck", "because[0].open[1]: no question has the id luck"),
        ((*BECAUSE, 0, "settled"), ["luck"], "settled[0]: no question has the id luck"),
        (ANSWERS, [ANSWER] * 5, "steps[1].questions[0].answers: needs four answers at most, has 5"),
        ((*ANSWERS, 2, "id"), "belief", "answers[2].id: belief is used twice"),
        ((*ANSWERS, 2, "level"), "2", "answers[2].level: unknown key"),
        ((*ANSWERS, 2, "first_move"), REMOVED, "answers[2].first_move: is missing"),
        ((*ANSWERS, 3, "first_move"), "Go on", "answers[3].first_move: the last answer"),
        (("bands", 0, "from"), "1", "bands[0].from: 0 has no band"),
        (("bands", 1, "from"), "30", "bands[1].from: 25 to 29 have no band"),
        (("bands", 1, "from"), "20", "bands[1].from: 20 is already in another band"),
        (("bands", 1, "to"), "12", "bands[1].to: 12 is below its from, 25"),
        (("bands",), DATA["bands"][:5], "bands: 100 has no band"),
        (("bands", 5, "to"), "101", "bands[5].to: must be at most 100"),
        (("bands", 0, "from"), "low", "bands[0].from: must be a whole number"),
        (("bands", 1, "slug"), BAND["slug"], f"bands[1].slug: {BAND['slug']} is used twice"),
        (("engagements", 1, "slug"), ENGAGEMENT["slug"], "engagements[1].slug: readiness"),
    ],
)
def test_a_fault_is_named_by_its_key(path, value, named):
    assert named in faults(changed((path, value)))


def test_every_fault_is_listed_one_a_line_in_the_order_of_the_file():
    text = changed(
        (("bands", 4, "to"), "98"),
        (("engagements", 0, "slug"), "Nothing"),
        (("steps", 0, "questions", 0, "answers", 2, "id"), "all"),
        (("steps", 1, "letter"), "X"),
    )
    pretty = json.dumps(json.loads(text), ensure_ascii=False, indent=1)
    named = [line.split(": ")[1] for line in faults(pretty).splitlines()]
    expected = ["steps", "steps[0].questions[0].answers[3].id", "bands[5].from"]
    assert named == [*expected, "engagements[0].slug"]


def test_a_fault_names_its_line_its_step_and_its_question():
    removed = "          - id: words\n"
    line = TEXT.splitlines().index("          - id: words") + 1
    message = faults(TEXT.replace(removed, removed + "            color: blue\n"))
    assert message == (
        f"line {line + 1} (clarify, clarify-case, words): "
        "steps[1].questions[0].answers[1].color: unknown key"
    )


def test_a_key_given_twice_is_refused_with_both_lines():
    lines = TEXT.splitlines()
    first = lines.index("    letter: A") + 1
    message = faults(TEXT.replace("    letter: A\n", "    letter: A\n    letter: B\n", 1))
    assert f"line {first} (assess): steps[0].letter: this key appears twice" in message
    assert f"again on line {first + 1}" in message


def test_aliases_and_marks_of_other_languages_are_refused():
    text = TEXT.replace("name: Assess\n", "name: &word Assess\n")
    text = text.replace("name: Clarify\n", "name: *word\n")
    message = faults(text.replace("name: Nurture\n", "name: <b>Nurture</b>\n"))
    assert "(clarify): steps[1].name: is an alias" in message
    assert "(nurture): steps[5].name: is shown as it is: leave out <b>" in message


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("steps: [\n  one\nbands: {}\n", "line 1: opens a bracket"),
        ("steps: \x07", "line 1: contains an invisible character"),
        ("steps: []\n---\nbands: []\n", "line 2: does not fit the lines above it"),
        ("", "steps: is missing"),
    ],
)
def test_a_file_that_is_not_a_framework_is_refused_with_a_message(text, named):
    assert named in faults(text)


JUNK = st.one_of(
    st.sampled_from(
        ["", " ", "none", "0", "100", "-1", "1e3", "{}", [], {}, REMOVED, ["a"], {"a": "b"}]
    ),
    any_text(max_size=80),
    st.lists(any_text(max_size=3), max_size=7),
)


@given(st.sampled_from(list(values(DATA))), JUNK)
def test_any_damaged_file_loads_or_is_reported_by_line_in_our_own_words(path, junk):
    try:
        load(changed((path, junk)))
    except DataError as refused:
        for line in str(refused).splitlines():
            assert line.startswith("line ")
            assert "Input" not in line and "pydantic" not in line


@given(st.sets(st.integers(1, 100), max_size=8))
def test_bands_cut_anywhere_cover_every_score_once(cuts):
    edges = [0, *sorted(cuts), 101]
    bands = [
        BAND | {"slug": f"band-{low}", "from": str(low), "to": str(high - 1)}
        for low, high in pairwise(edges)
    ]
    framework = load(changed((("bands",), bands)))
    for score in range(101):
        assert sum(band.lowest <= score <= band.highest for band in framework.bands) == 1
