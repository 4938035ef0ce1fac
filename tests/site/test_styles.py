"""Style sheets: one home for each class, and layers in a known order."""

import re

import pytest

from lead_service.own_files import STATIC
from lead_service.publishing.assets import LAYERS, OF_SERVICE, STYLES
from tests.support.built_site import ROOT

SHEETS = ROOT / "site_overrides" / "styles"
OF_SITE, SHARED = (
    [SHEETS / f"{name}.css" for name in names if name != "print"] for names in (STYLES, OF_SERVICE)
)
# What a page loads, in the order of the cascade.
PAGES = (
    OF_SITE,
    [*SHARED, STATIC / "service.css", STATIC / "assess.css"],
    [*SHARED, STATIC / "service.css", STATIC / "book.css"],
    [*SHARED, STATIC / "desk.css", STATIC / "funnel.css"],
)
CLASS = re.compile(r"\.([a-zA-Z][\w-]*)")
NOT = re.compile(r":not\([^)]*\)")
COMMA = re.compile(r",(?![^()]*\))")


def selectors(path) -> list[str]:
    style = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.DOTALL)
    heads = (head.strip() for head in re.findall(r"([^{};]+)\{", style))
    return [one for head in heads if not head.startswith("@") for one in COMMA.split(head)]


@pytest.mark.parametrize("sheets", PAGES, ids=["site", "assess", "book", "desk"])
def test_no_class_is_styled_in_two_sheets(sheets):
    """A later sheet may change another's component inside one of its own."""
    homes: dict[str, str] = {}
    strayed = []
    for sheet in sheets:
        classes = [(one, set(CLASS.findall(NOT.sub("", one)))) for one in selectors(sheet)]
        for selector, used in classes:
            if used and all(homes.get(name, sheet.name) != sheet.name for name in used):
                strayed.append(f"{sheet.name}: {selector.strip()}")
        homes = {name: sheet.name for _, used in classes for name in used} | homes
    assert strayed == []


def test_the_index_names_the_home_of_each_component():
    index = (SHEETS / "components.css").read_text("utf-8").split("*/", 1)[0]
    here = re.search(r"   here +(.*?)\n   signature.css", index, re.DOTALL)[1]
    named = set(re.findall(r"[a-z][a-z-]+", re.sub(r"\(.*?\)", "", here))) - {"and"}
    own = {CLASS.findall(selector)[0] for selector in selectors(SHEETS / "components.css")}
    assert own == named


def test_every_rule_is_in_a_layer(site):
    assert set(STYLES) < set(LAYERS)
    published = next(site.glob("assets/site.*.css")).read_text("utf-8")
    assert published.startswith(f"@layer {','.join(LAYERS)};")
    for sheet in STATIC.glob("*.css"):
        assert sheet.read_text("utf-8").startswith("@layer service {"), sheet.name


def test_expressions_in_templates_are_short_enough_to_read():
    folders = (ROOT / "site_overrides", ROOT / "lead_service" / "templates")
    files = [path for folder in folders for path in folder.rglob("*.html")]
    expression = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")
    long = [
        f"{path.name}: {one}"
        for path in files
        for one in expression.findall(path.read_text("utf-8"))
        if len(one) > 140
    ]
    assert long == []
