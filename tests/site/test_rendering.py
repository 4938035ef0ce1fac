"""A build renders only changed pages, and equals a build from scratch."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from mkdocs.exceptions import Abort
from mkdocs.structure.pages import Page
from PIL import Image

from lead_service.publishing import articles, assets, cache, records
from tests.support.built_site import ANN, ARTICLE, ROOT, build_site, portrait, small_docs

ADDRESS = f"http://127.0.0.1:{os.getpid() % 1000 + 20000}"  # other tests record other sites
RECORDS = ("records", "build", str(ROOT / "mkdocs.yml"), f"{ADDRESS}/")
STEPS = ("assess", "clarify", "organize")
NAV = [{"Menu": [{"Insights": "insights/index.md"}]}, {"Footer": [{"Home": "index.md"}]}]


def article(number: int, text: str = "Some text.\n") -> str:
    source = ARTICLE.replace("A title", f"Title {number}").replace("A sentence", f"About {number}")
    source = source.replace("organize", STEPS[number % 3]).replace("03-31", f"03-{number + 10}")
    return source.replace("Some text.\n", text)


class Editor:
    """An editor who changes a site of ten articles step by step."""

    def __init__(self, folder: Path) -> None:
        self.docs, self.nav = small_docs(folder, "---\n"), NAV
        self.articles = self.docs / "insights"
        (self.articles / "new.md").unlink()
        portrait(self.docs, ANN)
        (self.docs / "includes").mkdir()
        self.replace_a_picture()
        for number in range(8):
            self.path(number).write_text(article(number), "utf-8")
        part = "Text.\n\n## Part\n\n"
        beyond = "[There](a1.md), [beyond](/insights/a9/#part)\n\n![A picture](a.png)\n"
        self.path(8).write_text(article(8, part + beyond), "utf-8")
        self.path(9).write_text(article(9, part + "[Before](a8.md#part)\n"), "utf-8")

    def path(self, number: int) -> Path:
        return self.articles / f"a{number}.md"

    def put(self, number: int, old: str, new: str) -> None:
        text = self.path(number).read_text("utf-8")
        assert old in text
        self.path(number).write_text(text.replace(old, new), "utf-8")

    def add_an_article(self):
        (self.articles / "b.md").write_text(article(15, "[Before](a6.md)\n"), "utf-8")

    def change_a_text(self):
        self.put(7, "Some", "Some more")

    def change_a_letter_within_a_tick(self):
        before = self.path(6).stat()
        self.put(6, "Some", "Sane")
        os.utime(self.path(6), ns=(before.st_atime_ns, before.st_mtime_ns))

    def write_at_length(self):
        self.put(5, "Some text.", "Some text. " * 300)

    def rename_an_article(self):
        self.put(4, "step:", "redirect_from: /insights/a4/\nstep:")
        self.path(4).rename(self.articles / "renamed.md")

    def remove_an_article(self):
        self.path(3).unlink()

    def change_a_title(self):
        self.put(9, "Title 9", "Another title")

    def change_a_day(self):
        self.put(0, "2025-03-10", "2025-05-01")

    def change_a_step(self):
        self.put(1, "clarify", "nurture")

    def give_an_author(self):
        self.put(2, "step:", "author: ann-example\nstep:")

    def change_a_person(self):
        (self.docs / "people" / "ann-example.md").write_text(ANN.replace("Partner", "Founder"))

    def replace_a_picture(self):
        color = "red" if (self.articles / "a.png").exists() else "blue"
        Image.new("RGB", (900, 600), color).save(self.articles / "a.png")

    def rename_a_part(self):
        for number in (8, 9):
            self.put(number, "Part", "Piece")
            self.put(number, "#part", "#piece")

    def hide_an_article(self):
        self.put(7, "step:", "draft: true\nstep:")

    def change_the_framework(self):
        path = self.docs / "framework.yml"
        path.write_text(path.read_text("utf-8").replace("name: Clarify", "name: Clarifies"))

    def change_the_menu(self):
        self.nav = [{"Menu": [{"All": "insights/index.md"}]}, NAV[1]]

    def include_a_text(self):
        (self.docs / "includes" / "a.md").write_text("Included.\n", "utf-8")


EDITS = [getattr(Editor, name) for name in vars(Editor) if name.count("_") > 1 and name[0] != "_"]


def files_of(site: Path) -> dict[str, bytes]:
    files = (path for path in site.rglob("*") if path.is_file())
    return {path.relative_to(site).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def editor(tmp_path, monkeypatch):
    monkeypatch.setattr(assets, "MANY", 0)  # compress fast
    monkeypatch.setattr(articles, "IN_FEED", 4)
    monkeypatch.setattr(articles, "RELATED", 1)
    monkeypatch.setattr(records, "MARGIN", 0)  # of an unchanged file, only the times are read
    monkeypatch.setenv("PUBLIC_URL", ADDRESS)
    return Editor(tmp_path)


def test_a_site_after_any_edits_is_the_same_as_one_built_anew(
    editor, tmp_path, monkeypatch, pytestconfig
):
    at_once = 2 if pytestconfig.option.all else 6
    build_site(tmp_path / "site", editor.docs, nav=editor.nav)
    edits = random.sample(EDITS, len(EDITS))
    while edits:
        for edit in (edits.pop() for _ in range(min(at_once, len(edits)))):
            edit(editor)
        edited = build_site(tmp_path / "site", editor.docs, nav=editor.nav)
        with monkeypatch.context() as patch:
            patch.setattr(cache, "load", lambda *name: None)
            patch.setattr(cache, "save", lambda *given: None)
            anew = build_site(tmp_path / "anew", editor.docs, nav=editor.nav)
        assert files_of(edited) == files_of(anew)


@pytest.fixture
def built(editor, tmp_path, monkeypatch) -> Callable[[], list[str]]:
    """Build the site of the editor in `site`, and return the addresses of the rendered pages."""
    rendered, render = [], Page.render
    monkeypatch.setattr(
        Page, "render", lambda page, *given: rendered.append(page.url) or render(page, *given)
    )

    def build() -> list[str]:
        rendered.clear()
        build_site(tmp_path / "site", editor.docs, nav=editor.nav)
        return rendered

    build()
    return build


def test_only_what_changed_is_rendered(editor, built, tmp_path, caplog):
    assert built() == []
    editor.change_a_text()
    assert built() == ["insights/a7/"]
    page, saved = tmp_path / "site/insights/a7/index.html", cache.path_of("value", RECORDS)
    page.write_text("damaged", "utf-8")
    assert built() == [] and "damaged" not in page.read_text("utf-8")
    editor.replace_a_picture()
    assert built() == ["insights/a8/", "insights/a9/"]  # which links to a part of it
    editor.change_a_letter_within_a_tick()
    assert built() == ["insights/a6/"]
    editor.hide_an_article()  # so the next one, which is not beside it, enters the feed
    beside = [f"insights/a{number}/" for number in (1, 4, 6, 8, 9)]
    assert {*built()} == {"", "insights/", "insights/a5/", *beside}
    assert "a7.md: links to /insights/a7/ no longer work: add `redirect_from: [" in caplog.text
    caplog.clear()
    editor.put(4, "step: ", "stage: ")
    with pytest.raises(Abort):
        built()
    assert "a4.md:5: stage: unknown key" in caplog.text and "no longer work" not in caplog.text
    editor.put(4, "stage: ", "step: ")
    editor.change_the_menu()
    assert len(built()) == 11
    Path(saved).write_bytes(Path(saved).read_bytes()[:-1])
    assert len(built()) == 11


def test_a_fault_is_told_in_each_build_until_it_is_mended(editor, built):
    for number, right, wrong in (
        (8, "Part", "Piece"),  # which only the other one links to
        (9, "Part", "Piece"),
        (9, "Text.", "![](a.png)"),
        (9, "a8.md", "gone.md"),
    ):
        editor.put(number, right, wrong)
        for _ in range(2):
            with pytest.raises(Abort):
                built()
        editor.put(number, wrong, right)
        assert built() == []
    editor.path(1).unlink()  # and a page links to it
    for _ in range(2):
        with pytest.raises(Abort):
            built()
