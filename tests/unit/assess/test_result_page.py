"""The result's page and its shared page, rendered without an application for many visitors."""

import random
import re
from datetime import UTC, datetime
from pathlib import Path

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import ChoiceLoader, DictLoader, Environment, FileSystemLoader, StrictUndefined
from werkzeug.datastructures import MultiDict

from lead_service.action_framework.loading import load
from lead_service.assess import text
from lead_service.assess.forms import MailForm
from lead_service.assess.scoring import score
from lead_service.formats import long_date

ROOT = Path(__file__).parents[3]
FRAMEWORK = load((ROOT / "docs" / "framework.yml").read_text("utf-8"))
FRAME = "".join(f"{{% block {name} %}}{{% endblock %}}" for name in ("title", "head", "content"))
VISITORS = 16 * settings().max_examples
PAGES = ("assess/result.html", "assess/shared.html")


def environment():
    made = Environment(
        loader=ChoiceLoader(
            [DictLoader({"page.html": FRAME}), FileSystemLoader(ROOT / "lead_service/templates")]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(url_for=lambda name, **_: f"/{name}", asset=lambda name: f"/{name}")
    made.filters["long_date"] = long_date
    return made


TEMPLATES = {name: environment().get_template(name) for name in PAGES}


def result(levels):
    chosen = zip(FRAMEWORK.questions, levels, strict=True)
    return score(FRAMEWORK, {one.id: one.answers[level].id for one, level in chosen})


def page(name, scored):
    return TEMPLATES[name].render(
        framework=FRAMEWORK,
        result=scored,
        words=text,
        token="t",
        form=MailForm(MultiDict()),  # as sent: one that is shown first asks for the time
        share_link=None,
        articles=[],
        is_current=True,
        completed_at=datetime(2026, 11, 22, tzinfo=UTC),
    )


def text_of(html):
    tree = html5lib.parseFragment(html, namespaceHTMLElements=False)
    return " ".join("".join(tree.itertext()).split())


@pytest.fixture(scope="module")
def visitors():
    """Draw sets of answers of four kinds, from the hopeless to the nearly perfect."""
    chance = random.Random(4096)
    moods = ([1] * 4, [4, 2, 1, 0], [0, 1, 2, 4], [0, 0, 1, 12])
    return [result(chance.choices(range(4), moods[number % 4], k=12)) for number in range(VISITORS)]


@pytest.mark.parametrize("name", PAGES)
def test_every_set_of_answers_gives_a_complete_page(visitors, name):
    kinds = set()
    for scored in visitors:
        html, gap = page(name, scored), scored.widest_gap
        assert html.count('class="condition"') == len(scored.to_become_true)
        assert html.count('<td class="score">') == 6
        assert html.count("widest gap</span>") == (gap is not None)
        assert ("gap</span>.</h1>" in html) == (gap is not None)
        numbers = [int(one) for one in re.findall(r'class="place"><span>(\d+)', html)]
        assert numbers == list(range(1, len(numbers) + 1))
        kinds.add((gap and gap.slug, scored.outcome.engagement, bool(scored.already_true)))
    assert len(kinds) > 15  # the draw reaches what can happen


@given(st.lists(st.integers(0, 3), min_size=12, max_size=12))
def test_the_owner_s_page_says_all_that_the_result_holds(levels):
    scored = result(levels)
    said = text_of(page("assess/result.html", scored))
    for one in scored.conditions:
        assert one.text in said
        assert (f"You said: {one.answer.text}" in said) == (one in scored.to_become_true)
    for one in scored.to_become_true:
        assert one.reason in said and one.first_move in said
    assert text.gap_sentences(scored) in said
    assert text.order(scored) in said
    assert scored.band.name in said and scored.band.text in said
    assert scored.outcome.why in said and text.rule(scored) in said
    needed = scored.outcome.engagement
    assert (needed.name if needed else "No engagement is needed yet") in said


@given(st.lists(st.integers(0, 3), min_size=12, max_size=12))
def test_a_shared_page_holds_scores_and_conditions_and_nobody_s_words(levels):
    scored = result(levels)
    html = page("assess/shared.html", scored)
    said = text_of(html)
    for one in scored.conditions:
        assert one.text in said
        assert one.answer.text not in said
    assert f"{scored.overall} of 100" in said
    assert "<form" not in html and "<button" not in html
    assert "/assess.step" not in html
