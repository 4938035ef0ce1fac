"""The result as a PDF: two pages whatever is in it, readable by eye, by ear and by machine."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from lead_service.action_framework.loading import load
from lead_service.assess import pdf
from lead_service.assess.scoring import score
from lead_service.publishing.site import Article

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "framework.yml").read_text("utf-8")
FRAMEWORK = load(TEXT)
ARTICLES = [
    Article("What a budget owner signs", "/insights/signs/", "signs", "clarify", "Why.", 5),
    Article("Why pilots do not scale", "/insights/pilots/", "pilots", "organize", "Why.", 6),
]
MIXED = [2, 3, 0, 1, 2, 1, 3, 2, 0, 1, 2, 2]


def result(levels, framework=FRAMEWORK):
    chosen = zip(framework.questions, levels, strict=True)
    return score(framework, {one.id: one.answers[level].id for one, level in chosen})


def sheet(**changes):
    given = {
        "practice": "ACTION Advisory",
        "site": "https://advisory.example/",
        "answered_at": datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
        "answered_on": "Sunday, November 22, 2026",
        "articles": ARTICLES,
    }
    return pdf.Sheet(**given | changes)


def pages(file: bytes) -> int:
    return len(re.findall(rb"/Type/Page/", file))


def longer(value, key=""):
    """Make every text of the framework half as long again; names and ids stay."""
    if isinstance(value, dict):
        return {name: longer(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [longer(one, key) for one in value]
    is_text = key in {"text", "reason", "condition", "first_move", "skipped", "why"}
    return value + " " + value[: len(value) // 2] + "." if is_text else value


@pytest.mark.parametrize(
    "levels", [[0] * 12, [1] * 12, [2] * 12, [3] * 12, MIXED], ids=["0", "1", "2", "3", "mixed"]
)
def test_it_has_two_pages(levels):
    assert pages(pdf.render(result(levels), sheet())) == 2


@pytest.mark.parametrize("levels", [[0] * 12, MIXED], ids=["all open", "mixed"])
def test_it_has_two_pages_when_every_text_is_half_as_long_again(levels):
    data = longer(yaml.load(TEXT, yaml.BaseLoader))
    scored = result(levels, load(json.dumps(data)))
    assert pages(pdf.render(scored, sheet())) == 2


def test_it_is_tagged_and_says_its_title_and_its_language():
    file = pdf.render(result(MIXED), sheet())
    assert b"/Marked true" in file
    assert b"<pdfuaid:part>1<" in file
    assert b"/Lang(en-US)" in file
    assert b"/Title(Self-assessment: 53 of 100)" in file


def test_its_text_is_text_in_our_two_typefaces():
    file = pdf.render(result(MIXED), sheet())
    fonts = set(re.findall(rb"\+(Source\w+)-", file))
    assert fonts == {b"SourceSerifPro", b"SourceSansPro"}
    assert b"/ToUnicode" in file  # so that it can be marked, copied and searched


def test_the_same_result_gives_the_same_file():
    assert pdf.render(result(MIXED), sheet()) == pdf.render(result(MIXED), sheet())


def test_text_is_never_read_as_markup():
    lure = '#panic("x") *bold* $x$ <label> @ref \\ // https://x.example'
    assert pages(pdf.render(result(MIXED), sheet(practice=lure))) == 2


def test_no_article_and_no_engagement_leave_no_hole():
    assert pages(pdf.render(result([3] * 12), sheet(articles=[]))) == 2


def test_its_letters_are_the_signature_s_own_filled_to_the_score():
    template = (ROOT / "lead_service/templates/signature.html").read_text("utf-8")
    forms = dict(re.findall(r'"([ACTION])": \(\d+, "([^"]+)"\)', template))
    assert len(forms) == 6
    content = pdf._content(result(MIXED), sheet())
    for letter, step in zip("ACTION", content["steps"], strict=True):
        assert step["svg"].count(forms[letter]) == 2  # the outline, and what of it is filled
    for step in pdf._content(result([0] * 12), sheet())["steps"]:
        assert '<path class="letter-full"' not in step["svg"]


def test_its_colors_are_those_of_the_site():
    tokens = (ROOT / "site_overrides/styles/tokens.css").read_text("utf-8")
    light = tokens[: tokens.index("@media")]
    assert dict(re.findall(r"--hue-(\w+): (#\w+);", light)) == pdf.HUES
    known = set(re.findall(r"#[0-9a-f]{6}", light))
    assert set(re.findall(r"#[0-9a-f]{6}", pdf.TEMPLATE.read_text("utf-8"))) <= known
    assert pdf.INK in known
