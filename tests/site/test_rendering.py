"""A page is rendered again only when its file or what it depends on has changed."""

import time

import pytest
from mkdocs.exceptions import Abort
from mkdocs.structure.pages import Page

from tests.support.built_site import ARTICLE, build_site, small_docs

TEXT = ARTICLE + "\n## Part\n\n[To the list](index.md), [to the part](#part)\n"


def test_only_a_changed_page_is_rendered_again_and_links_are_checked_all_the_same(
    tmp_path, monkeypatch
):
    rendered = []
    render = Page.render
    monkeypatch.setattr(
        Page, "render", lambda page, *given: rendered.append(page.url) or render(page, *given)
    )

    def built() -> str:
        rendered.clear()
        return (build_site(tmp_path / "site", docs) / "insights/new/index.html").read_text("utf-8")

    docs = small_docs(tmp_path, f"{TEXT}\n{time.time_ns()} is new.\n")
    beside = ARTICLE.replace("A title", "Beside it").replace("sentence", "second sentence")
    (docs / "insights" / "beside.md").write_text(beside, "utf-8")
    first = built()
    assert "insights/new/" in rendered and 'href="../"' in first
    assert built() == first and rendered == []
    article = docs / "insights" / "new.md"
    article.write_text(f"{TEXT}\n{time.time_ns()} is another.\n", "utf-8")
    assert "is another" in built() and rendered == ["insights/new/"]
    article.write_text(article.read_text("utf-8").replace("A title", "Another title"), "utf-8")
    assert "Another title" in built() and rendered == ["insights/new/"]
    for shows_it in ("insights/index.html", "insights/beside/index.html"):
        assert "Another title" in (tmp_path / "site" / shows_it).read_text("utf-8")
    (docs / "insights" / "index.md").open("a").write("\n[Gone](new.md#gone)\n")
    for _ in range(2):  # it is said again, though nothing has changed
        with pytest.raises(Abort):
            built()
