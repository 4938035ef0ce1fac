"""What a writer may do wrong stops the build and names the file and the line."""

import logging
import shutil

import pytest
from mkdocs.exceptions import Abort

from tests.site.built import ROOT, build_site

ARTICLE = """---
title: A title
description: A sentence.
date: 2025-03-31
step: organize
---
Some text.
"""


@pytest.fixture
def build(tmp_path, caplog):
    """Build the docs with one more article of the given source; return the site or fail."""
    docs = shutil.copytree(ROOT / "docs", tmp_path / "docs")
    caplog.set_level(logging.INFO, "mkdocs")

    def build_with(source: str, name: str = "new.md"):
        (docs / "insights" / name).write_text(source, "utf-8")
        return build_site(tmp_path / "site", docs)

    return build_with


def test_an_article_is_one_file_with_four_lines_of_front_matter(build):
    site = build(ARTICLE)
    assert "A sentence." in (site / "insights/new/index.html").read_text("utf-8")
    assert "A title" in (site / "framework/organize/index.html").read_text("utf-8")
    assert "A title" in (site / "insights/index.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ("title: A title", "title:", "insights/new.md:2: front matter needs a title"),
        ("description: A sentence.\n", "", "insights/new.md:1: front matter needs a description"),
        ("2025-03-31", "in March", "insights/new.md:4: front matter needs a date"),
        ("organize", "organise", "insights/new.md:5: step is 'organise', needs one of assess"),
    ],
)
def test_a_fault_in_the_front_matter_fails_the_build_by_file_and_line(
    build, caplog, written, instead, said
):
    with pytest.raises(Abort):
        build(ARTICLE.replace(written, instead))
    assert said in caplog.text


def test_a_dead_link_fails_the_build(build, caplog):
    with pytest.raises(Abort):
        build(ARTICLE + "\n[gone](nowhere.md)\n")
    assert "nowhere.md" in caplog.text and "insights/new.md" in caplog.text


def test_a_page_without_a_description_fails_the_build(build, caplog):
    with pytest.raises(Abort):
        build("---\ntitle: Other\n---\nText.\n", "../other.md")
    assert "other.md:1: front matter needs a description" in caplog.text


def test_a_draft_is_not_published(build):
    site = build(ARTICLE.replace("step:", "draft: true\nstep:"))
    assert not (site / "insights/new").exists()
    assert "A title" not in (site / "articles.json").read_text("utf-8")


def test_characters_with_a_meaning_in_html_are_shown_and_not_obeyed(build):
    site = build(ARTICLE.replace("A title", "'<b>Risk</b> & \"reward\"'"))
    for path in ("insights/new/index.html", "insights/index.html", "feed.xml"):
        text = (site / path).read_text("utf-8")
        assert "&lt;b&gt;Risk" in text and "<b>Risk" not in text, path
