"""The result as a PDF: readable by people, screen readers and programs, on enough pages."""

import re
from pathlib import Path

import pytest

from lead_service.assess import pdf
from lead_service.palette import LIGHT

from .test_result_page import of_levels, sheet

ROOT = Path(__file__).parents[3]
MIXED = [2, 3, 0, 1, 2, 1, 3, 2, 0, 1, 2, 2]


def render(levels, **changes):
    made = of_levels(levels)
    given = vars(sheet(made)) | changes
    return pdf.render(made, pdf.Sheet(**given))


def pages(file: bytes) -> int:
    return len(re.findall(rb"/Type/Page/", file))


@pytest.mark.parametrize(
    ("levels", "most"), [([0] * 12, 5), ([2] * 12, 5), ([3] * 12, 2), (MIXED, 4)]
)
def test_it_has_as_many_pages_as_it_needs(levels, most):
    assert 1 <= pages(render(levels)) <= most
    assert 1 <= pages(render(levels, with_answers=True)) <= most


def test_its_text_has_nine_and_a_half_points_or_more():
    template = pdf.TEMPLATE.read_text("utf-8")
    sizes = [float(size) for size in re.findall(r"size: ([\d.]+)pt", template)]
    assert len(sizes) > 5 and min(sizes) >= 9.5
    assert not re.search(r"size: [\d.]+em", template)


def test_it_is_tagged_and_says_its_title_and_its_language():
    file = render(MIXED)
    assert b"/Marked true" in file
    assert b"<pdfuaid:part>1<" in file
    assert b"/Lang(en-US)" in file
    assert b"/Title(Self-assessment: 53 out of 100)" in file


def test_its_text_is_text_in_our_two_typefaces():
    file = render(MIXED)
    fonts = set(re.findall(rb"\+(Source\w+)-", file))
    assert fonts == {b"SourceSerifPro", b"SourceSansPro"}
    assert b"/ToUnicode" in file  # so that text can be selected, copied and searched


def test_the_same_result_gives_the_same_file():
    assert render(MIXED) == render(MIXED)


def test_text_is_never_read_as_markup():
    lure = '#panic("x") *bold* $x$ <label> @ref \\ // https://x.example'
    assert pages(render(MIXED, practice=lure)) == pages(render(MIXED))


def test_a_result_without_articles_and_engagement_is_complete():
    assert pages(render([3] * 12, reading=[])) in (1, 2)


def test_its_letters_are_the_signature_s_own():
    template = (ROOT / "lead_service/templates/signature.html").read_text("utf-8")
    forms = dict(re.findall(r'"([ACTION])": \(\d+, "([^"]+)"\)', template))
    assert len(forms) == 6
    made = of_levels(MIXED)
    for letter, step in zip("ACTION", pdf._content(made, sheet(made))["steps"], strict=True):
        assert step["svg"].count(forms[letter]) == 1
        assert LIGHT[f"hue-{step['slug']}"] in step["svg"]
