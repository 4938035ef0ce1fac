"""Every form of a result states the same diagnosis."""

import json
import random
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import ChoiceLoader, DictLoader, Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lead_service.action_framework.counts import counts
from lead_service.action_framework.loading import load
from lead_service.action_framework.suggestions import read_suggestions
from lead_service.assess import brief, pdf, retake, text
from lead_service.assess.diagnosis import OutcomeKind, diagnose
from lead_service.assess.emails import result_message
from lead_service.assess.reading import to_read
from lead_service.call_types import CallTypes, load_call_types
from lead_service.desk.leads import exports
from lead_service.formats import long_date
from lead_service.publishing.site import Article, Published
from lead_service.settings import Settings
from tests.unit.action_framework.test_loading import FRAMEWORK

ROOT = Path(__file__).parents[3]
PHASES = [None, *(phase.id for phase in FRAMEWORK.phases)]
CHOICES = st.tuples(*(st.sampled_from(one.choices) for one in FRAMEWORK.questions))
NOW = datetime(2026, 11, 22, tzinfo=UTC)
MOST_WORDS = 550


def title_about(slug):
    return f"An article about {slug}, with a title as long as our longest"


ARTICLES = tuple(
    Article(title_about(slug), f"/insights/{slug}/", slug, slug, "Why.", 5)
    for slug in ("nurture", "organize", "implement", "transform", "clarify", "assess", "organize")
)
CALLS = load_call_types(
    (ROOT / "docs" / "calls.yml").read_bytes(), {one.slug for one in FRAMEWORK.engagements}
)
PUBLISHED = Published("http://127.0.0.1:8000/", "", FRAMEWORK, CALLS, ARTICLES)


def environment(*blocks):
    frame = "".join(f"{{% block {name} %}}{{% endblock %}}" for name in blocks)
    made = Environment(
        loader=ChoiceLoader(
            [DictLoader({"page.html": frame}), FileSystemLoader(ROOT / "lead_service/templates")]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(url_for=lambda name, **_: f"/{name}", asset=lambda name: f"/{name}")
    made.filters["long_date"] = long_date
    return made


ENVIRONMENT = environment("title", "head", "content")


def page(name, diagnosis, environment=ENVIRONMENT, **more):
    given = {
        "framework": FRAMEWORK,
        "counts": counts(FRAMEWORK),
        "calls": CALLS,
        "diagnosis": diagnosis,
        "since": None,
        "words": text,
        "token": "t",
        "is_own": False,
        "answers": "1-a",
        "reading": to_read(diagnosis, PUBLISHED),
        "is_current": True,
        "completed_at": NOW,
    }
    return environment.get_template(f"assess/{name}.html").render(**given | more)


def sheet(diagnosis, *, with_answers=False, calls=CALLS):
    return pdf.Sheet(
        calls=calls,
        practice="ACTION Advisory",
        site="https://advisory.example/",
        answered_at=NOW,
        answered="answered on Sunday, November 22, 2026",
        reading=to_read(diagnosis, PUBLISHED),
        with_answers=with_answers,
    )


def email(diagnosis):
    return result_message(
        Settings(),
        CALLS,
        "ada@example.com",
        diagnosis,
        "https://link.example/",
        "https://no.example/",
    )


def text_of(html, *, without=()):
    for tag in without:
        html = re.sub(f"<{tag}\\b.*?</{tag}>", "", html, flags=re.DOTALL)
    return Markup(html).striptags()


def diagnosis_of(chosen, phase=None):
    pairs = zip(FRAMEWORK.questions, chosen, strict=True)
    return diagnose(FRAMEWORK, {question.id: choice.id for question, choice in pairs}, phase)


def of_levels(levels, phase=None):
    pairs = zip(FRAMEWORK.questions, levels, strict=True)
    return diagnosis_of([question.answers[level] for question, level in pairs], phase)


@pytest.fixture(scope="module")
def profiles():
    """Draw a hundred sets of answers of four kinds, from all bad to nearly perfect, and a phase."""
    chance = random.Random(4096)
    moods = ([3, 1, 1, 1, 1], [4, 2, 1, 0, 1], [0, 1, 2, 4, 0], [0, 0, 1, 12, 0])
    drawn = []
    for number in range(100):
        mood = moods[number % 4]
        chosen = [chance.choices(one.choices, mood)[0] for one in FRAMEWORK.questions]
        drawn.append(diagnosis_of(chosen, PHASES[number % len(PHASES)]))
    return drawn


def told(html):
    """Read a page's first step, first condition, advice and first article."""
    step = re.search(r"<h1>Begin with <span[^>]*>(\w+)</span>", html)
    condition = re.search(r'<p class="condition">(.*?)</p>', html)
    outcome = re.search(r'>(?:We rec|Our adv).*?class="step-question">(.*?)</p>', html, re.DOTALL)
    article = re.search(r'<a class="step-question"[^>]*>(.*?)</a>', html)
    found = (step, condition, outcome, article)
    return tuple(text_of(one[1]) if one else None for one in found)


def test_page_shared_page_pdf_email_brief_and_json_say_the_same_of_a_hundred_profiles(profiles):
    suggestions = read_suggestions(brief.FILE, FRAMEWORK)
    seen = set()
    for made in profiles:
        first, step = next(iter(made.to_do), None), made.begin_with
        expected = (step and step.name, first and first.text, text.outcome_title(made))
        article = ARTICLES[-1].title if step is None else title_about(step.slug)
        assert told(page("result", made)) == (*expected, article)
        assert told(page("shared", made)) == (*expected, None)
        content = pdf._content(made, sheet(made))
        listed = content["first"][0]["text"] if content["first"] else None
        begins = content["begin_with"] and content["begin_with"]["name"]
        assert (begins, listed, content["outcome"]["title"]) == expected
        assert content["articles"][0]["title"] == article
        message = email(made)
        for part in (message.text, text_of(message.html)):
            assert made.headline.casefold() in part.casefold()
            for one in (*expected[1:], text.what_the_score_is(made)):
                assert one is None or one in " ".join(part.split())
        assert made.headline[:-1] in message.subject
        told_to_host = brief.build_brief(made, suggestions)
        assert first is None or told_to_host.asks[0].condition.step == first.step
        listed = json.loads(json.dumps(exports.result_fields(told_to_host)))
        assert (listed["begin_with"], listed["scores"]) == (step and step.slug, made.percents)
        if step and made.outcome.engagement:
            assert step.slug in made.outcome.engagement.begins_with
        seen.add((expected[0], made.outcome.kind))
    assert len({step for step, _ in seen}) > 5 and len({kind for _, kind in seen}) == 3


def test_at_most_550_words_are_unfolded(profiles):
    earlier = [of_levels([0, 3] * 6, "rolling-out"), of_levels([3, 0] * 6, "pilot-stuck")]
    close_alone = of_levels([3, 3, 3, 1, 3, 1, 2, 3, 3, 3, 2, 2], "idea")
    longest = max(
        len(text_of(page("result", made, since=since), without=("details",)).split())
        for made in (*profiles, close_alone)
        for since in (None, *(retake.compare(before, made, NOW) for before in earlier))
    )
    print(f"\nlongest result: {longest} words")
    assert longest <= MOST_WORDS


@given(CHOICES, st.sampled_from(PHASES))
def test_the_owners_page_shows_the_whole_diagnosis(chosen, phase):
    made = diagnosis_of(chosen, phase)
    html = page("result", made)
    said = text_of(html)
    for one in (*made.to_do, *made.true):
        assert one.text in said
    for one in made.to_do:
        assert f"You said: {one.answer.text}" in said
        assert one.reason in said and one.first_move in said
    assert made.beside in said and made.outcome.why in said
    assert all(reason in said for reason in made.reasons)
    assert f"{made.overall} out of 100" in said and made.band.text in said
    assert text.what_the_score_is(made) in said
    numbers = [int(one) for one in re.findall(r'class="place"><span>(\d+)', html)]
    assert numbers == list(range(1, len(made.to_do) + 1))
    assert html.count("Owner of condition") == min(3, len(made.to_do))


@given(CHOICES, st.sampled_from(PHASES))
def test_recommended_reading_fits_the_phase_and_begins_with_the_headlines_step(chosen, phase):
    made = diagnosis_of(chosen, phase)
    only_for = [replace(one, phases=("idea", "pilot-stuck")) for one in ARTICLES]
    published = replace(PUBLISHED, articles=(*only_for[:3], *ARTICLES[3:-1], only_for[-1]))
    found = to_read(made, published)
    fitting = {one.url for one in published.articles if one.fits(phase)}
    pages = {f"/framework/{one.slug}/" for one in made.reading[:1]}
    assert {one.url for one in found} <= fitting | pages
    assert len({one.url for one in found}) == len(found) <= 2
    if made.begin_with:
        assert found[0].why.startswith(f"About {made.begin_with.name}, ")


@given(CHOICES, st.sampled_from(PHASES))
def test_shared_pages_contain_none_of_the_answers(chosen, phase):
    made = diagnosis_of(chosen, phase)
    shared, message = page("shared", made), email(made)
    assert "<form" not in shared and "<button" not in shared
    assert "/assess.step" not in shared and "You said" not in shared
    shared = text_of(shared)
    assert not [one for one in made.to_do if one.first_move in shared]
    assert "said" not in {key for key, value in walk(pdf._content(made, sheet(made))) if value}
    for part in (shared, message.text, text_of(message.html)):
        others = " ".join([one.text for one in (*made.to_do, *made.true)])
        others += " ".join(one.first_move for one in made.to_do)
        for one in (*made.to_do, *made.true):
            assert one.answer.text not in part or one.answer.text in others


def test_promises_to_quote_no_answer_add_that_most_can_be_inferred():
    message = email(of_levels([0] * 12))
    save = (ROOT / "lead_service/templates/assess/save.html").read_text("utf-8")
    assert save.count("quote") == 1  # the promise is above all the ways to save and share
    lede = re.search(r'<p class="lede">(.*?)</p>', save)[1]
    privacy = (ROOT / "docs/privacy.md").read_text("utf-8")
    emailed, shared = (
        re.search(rf"^- \*\*If you {one}.*", privacy, re.MULTILINE)[0]
        for one in ("have the result emailed", "share the result")
    )
    for said in (message.text, message.html, lede, emailed, shared):
        assert re.search("can (still )?figure out most of", said)


def test_the_shared_page_does_not_distinguish_answers_of_the_same_level():
    worst = [one.answers[0] for one in FRAMEWORK.questions]
    unsure = [one.choices[-1] for one in FRAMEWORK.questions]
    assert page("shared", diagnosis_of(worst)) == page("shared", diagnosis_of(unsure))


@given(st.lists(st.integers(0, 3), min_size=12, max_size=12))
def test_the_shared_page_does_not_reveal_the_worse_of_two_open_answers(levels):
    swapped = list(levels)
    for first in range(0, 12, 2):
        if max(levels[first : first + 2]) <= 1:
            swapped[first : first + 2] = reversed(levels[first : first + 2])
    assert page("shared", of_levels(levels)) == page("shared", of_levels(swapped))


def walk(value):
    """Yield all keys of a nested value with their values."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield key, one
            yield from walk(one)
    if isinstance(value, list):
        for one in value:
            yield from walk(one)


def test_the_pdf_quotes_the_answers_only_if_they_are_asked_for():
    made = of_levels([0] * 12)
    quoted = [one["said"] for one in pdf._content(made, sheet(made, with_answers=True))["first"]]
    assert quoted == [one.answer.text for one in made.to_do[:3]]


def test_the_chart_has_one_bar_for_each_step_on_one_scale():
    made = of_levels([0, 0, 3, 3, *[2] * 8])
    html = page("result", made)
    widths = re.findall(r'class="bar-full" width="(\d+)%"', html)
    assert [int(one) for one in widths] == list(made.percents.values())
    assert re.findall(r'class="score">(\d+)<', html) == widths
    assert html.count('<rect class="bar-rest" width="100%"') == 6


@pytest.mark.parametrize("number", [1, 2])
def test_organizations_that_can_close_it_alone_are_told_how(number):
    made = of_levels([1] * number + [3] * (12 - number))
    assert made.outcome.kind == OutcomeKind.CLOSE_YOURSELF
    how = text.how_to_close(made)
    assert len(how) == 3
    said = text_of(page("result", made))
    assert "Handle this internally" in said and all(one in said for one in how)
    alone = "the open condition" in how[0] and "on that date" in how[2]
    assert alone if number == 1 else "two open conditions" in how[0]


# Answering again


def compared(before, now):
    return retake.compare(of_levels(before), of_levels(now), NOW - timedelta(days=30))


def test_changes_since_an_earlier_result_are_listed_by_condition():
    before, now = [0, 0, 2, 3, *[2] * 8], [3, 1, 1, 3, *[2] * 8]
    since = compared(before, now)
    said = text_of(page("result", of_levels(now), since=since))
    assert "You last answered on Friday, October 23, 2026." in said
    assert f"It was {since.overall}." in said
    for which, how in (
        (0, "Now true. It was open."),
        (1, "Still open, but better than before."),
        (2, "Now open. It was nearly true."),
    ):
        assert f"{FRAMEWORK.questions[which].condition} {how}" in said
    assert text.NOT_COMPARABLE not in said


def test_worse_conditions_are_shown_before_better_ones():
    since = compared([0, 0, 1, 2, 3, 3, *[2] * 6], [3, 3, 2, 0, 2, 3, *[2] * 6])
    assert [one.direction for one in since.changes] == ["Worse"] * 2 + ["Better"] * 3
    assert [one.now.level for one in since.changes] == [0, 2, 3, 3, 2]

    def said(number, **more):
        return text.what_changed(replace(since, changes=since.changes[:number], **more))

    assert said(5) == "Five conditions have changed, two for the worse"
    assert said(2) == "Two conditions have gotten worse"
    assert said(1, is_shared=True) == "One condition differs"


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ([2, 2, 0, 0], [2, 2, 2, 2, 0, 0], "The step to begin with was Clarify. It is now Transf"),
        (
            [2, 2, 0, 0],
            [2],
            "The step to begin with was Clarify. Every condition is now true or nearly true.",
        ),
        ([2], [2, 2, 0, 0], "No condition was open. The step to begin with is now Clarify."),
    ],
)
def test_a_new_step_to_begin_with_and_a_new_phase_are_named(before, now, said):
    before, now = ((one + [2] * 12)[:12] for one in (before, now))
    then = of_levels(before, "pilot-running")
    since = retake.compare(then, of_levels(now, "in-use"), NOW)
    shown = text_of(page("result", of_levels(now, "in-use"), since=since))
    assert said in shown
    assert "The phase was “A pilot is running.”" in shown
    assert retake.compare(then, then, NOW).sentences == ()


def test_a_comparison_with_a_shared_result_does_not_reveal_its_open_answers():
    now = of_levels([2, 3] * 3 + [1] * 6)
    pages = set()
    for levels in ([0, 1] * 3 + [2] * 6, [1, 0] * 3 + [2] * 6):
        before = of_levels(levels, "pilot-running")
        since = retake.compare(before, now, NOW, is_shared=True)
        pages.add(text_of(page("result", now, since=since)))
    (said,) = pages
    assert "Their score is 42. Their result begins with Assess. Their initiative is in" in said
    assert "Open for you, nearly true for them." in said
    assert "before" not in said.partition("Start here")[0] and "The phase was" not in said
    assert retake.compare(before, of_levels([0] * 12), NOW, is_shared=True).changes


@pytest.mark.parametrize(
    ("before", "now", "reworded"),
    [
        ("pilot-running", "pilot-running", 0),
        ("pilot-running", "pilot-stuck", 1),
        ("idea", "rolling-out", 9),
        ("idea", "pilot-stuck", 4),
        ("rolling-out", "in-use", 1),
    ],
)
@pytest.mark.parametrize("is_shared", [True, False])
def test_a_result_in_a_later_phase_compares_every_condition(before, now, reworded, is_shared):
    was, made = of_levels([3] * 12, before), of_levels([0] * 12, now)
    since = retake.compare(was, made, NOW, is_shared=is_shared)
    assert (len(since.changes), since.is_partial) == (12, False)
    shown = text_of(page("result", made, since=since))
    elsewhere = (
        "rue for them, in a different phase." if is_shared else "In your earlier phase, it was"
    )
    assert shown.count(elsewhere) == reworded == sum(one.is_reworded for one in since.changes)
    asked = {one.text: {it.text for it in one.question.answers} for one in was.true}
    for one in since.changes:
        same = asked.get(one.now.text) == {it.text for it in one.now.question.answers}
        assert same or one.is_reworded


def test_conditions_of_changed_questions_are_left_out_with_a_note():
    newer = load(FRAMEWORK.text.replace("clarify-case", "clarify-value"))
    now = diagnose(newer, {one.id: one.answers[3].id for one in newer.questions})
    since = retake.compare(of_levels([0] * 12), now, NOW)
    assert len(since.changes) == 11
    assert text.NOT_COMPARABLE in text_of(page("result", now, since=since))


def test_page_and_pdf_link_to_the_fitting_call_with_the_text_of_calls_yml():
    made = of_levels([0] * 12)
    assert made.outcome.engagement
    review = replace(
        CALLS.default,
        slug="review",
        name="Pilot review",
        minutes=90,
        description="Bring your numbers.",
        fits=(made.outcome.engagement.slug,),
    )
    calls = CallTypes((CALLS.default, review))
    content = pdf._content(made, sheet(made, calls=calls))
    assert content["book_url"] == "https://advisory.example/book/review/"
    assert content["call"] == "Pilot review, 90 minutes. Bring your numbers."
    shown = text_of(page("result", made, environment("after"), calls=calls))
    assert "Bring your numbers." in shown
    assert "free" not in shown.lower()
