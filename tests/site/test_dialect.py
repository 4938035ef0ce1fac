"""Material's Markdown in our design: a page that shows all of it, and pages without it."""

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import expect

from lead_service.publishing import dialect
from tests.site.conftest import served
from tests.support.built_site import ROOT, build_site, pages_of, small_docs

SPECIMEN = ROOT / "docs/insights/specimen.md"
SHOWN = (
    *('<div class="admonition note">', '<details class="question">', '<div class="tabbed-set"'),
    *('<div class="table scroll" tabindex="0"', 'align="right"', 'aria-label="Done:"', "<dt>"),
    *('class="footnote-ref"', 'href="#note-1-2"', 'id="note-1-2"', '<p class="aside">'),
    *('<abbr title="Return on investment">', 'class="md-button md-button--primary"', "<svg xmlns"),
    *('<div class="grid cards">', '<code class="highlight">', 'class="hll"', "<figcaption>"),
    *(
        '<kbd class="key-control">',
        "<mark>",
        "<sub>2</sub>",
        "<sup>2</sup>",
        "<ins>",
        "&frac12;",
        "&copy;",
    ),
)
# Each needs a Markdown extension that other pages don't use.
USES = (
    *("!!! note\n\n    Text.", '??? note "A"\n\n    Text.', '=== "A"\n\n    Text.', "- [x] Done"),
    *("A\n\n:   B", "*[ROI]: Return", "Text (1)\n{ .annotate }", '--8<-- "glossary.md"'),
    *("```\ncode\n```", "[A](/book/){ .md-button }", ":material-star:", "++ctrl++", "==a=="),
    *("H~2~O", "x^2^", "~~a~~", "^^a^^", "(c)", "1/2", "/// caption\nA\n///", "{--a--}"),
    *('<div markdown="1">\n\nA\n\n</div>', "    code", "`#!python a`"),
)


@pytest.fixture(scope="module")
def specimen(tmp_path_factory):
    """The address of a site whose third page is the published specimen."""
    folder = tmp_path_factory.mktemp("specimen")
    text = SPECIMEN.read_text("utf-8").replace("draft: true\n", "").replace("../services.md", "/")
    site = build_site(folder / "site", small_docs(folder, text))
    with served(site) as address:
        yield site, address + "/insights/new/"


def test_material_s_documented_syntax_works_without_its_scripts(specimen):
    site, _ = specimen
    page = next(page for page in pages_of(site) if page.url == "/insights/new/")
    assert [part for part in SHOWN if part not in page.source] == []
    assert page.source.count("<style>") == 2
    assert not [tag for _, tag in page.tags if "style" in tag or "onclick" in tag]
    assert not [tag for tag in page.all("img") if "//" in tag["src"]]


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.long)])
def test_the_specimen_keeps_the_rules_of_accessibility_and_the_policy(browser, specimen, scheme):
    heard = []
    context = browser.new_context(viewport={"width": 360, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.on("console", lambda message: heard.append(message.text))
    page.goto(specimen[1])
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.get_by_text("After the pilot").click()
    expect(page.get_by_text("Read the metric on the day")).to_be_visible()
    expect(page.get_by_text("Write down what")).to_be_hidden()
    assert heard == []
    context.close()
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)  # to add the rules
    page = context.new_page()
    page.goto(specimen[1])
    page.add_script_tag(path=AXE_FILE_PATH)
    found = page.evaluate("axe.run().then(({violations}) => violations.map(({id, nodes}) => "
                          "[id, nodes.map(({html}) => html)]))")  # fmt: skip
    context.close()
    assert found == []


def test_syntax_that_needs_an_extension_is_detected():
    assert [source for source in USES if not dialect.is_used(source)] == []


def test_pages_without_material_s_syntax_have_none_of_its_styles(pages):
    users = {page.url for page in pages if "<figure>" in page.source}
    assert {page.url for page in pages if page.source.count("<style>") > 1} == users
    for path in ROOT.glob("docs/**/*.md"):
        if path not in (SPECIMEN, ROOT / "docs/includes/glossary.md"):
            assert not dialect.is_used(path.read_text("utf-8").split("\n---\n", 1)[1]), path
