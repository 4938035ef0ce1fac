"""An author's files: what builds, and what stops the build with its file and line."""

import json
import logging
import os
from pathlib import Path

import pytest
from mkdocs.exceptions import Abort
from PIL import Image

from lead_service.publishing import cache, plugin
from tests.support.built_site import ANN, ARTICLE, build_site, pages_of, portrait, small_docs


@pytest.fixture
def build(tmp_path, caplog):
    """Build three pages, the third an article with the given source; return the site."""
    caplog.set_level(logging.INFO, "mkdocs")

    def build_with(source: str = ARTICLE, **front_matter: str):
        return build_site(tmp_path / "site", small_docs(tmp_path, source, **front_matter))

    return build_with


def test_an_article_is_one_file_with_four_lines_of_front_matter(build):
    site = build()
    assert "A sentence." in (site / "insights/new/index.html").read_text("utf-8")
    assert "A title" in (site / "index.html").read_text("utf-8")
    assert "A title" in (site / "insights/index.html").read_text("utf-8")


# The replaced part of an article, its replacement, and the build's message.
FAULTS = [
    ("title: A title", "title:", ":2: title: must be text"),
    ("title: A title", "title: 2026", ":2: title: must be text: put it in quotes"),
    ("description: A sentence.\n", "", ":1: description: is missing"),
    ("title: A title", 'title: "\\u200b"', ":2: title: must have letters that a reader can see"),
    ("title: A title", "title: <b>A title</b>", ":2: title: is shown as it is: leave out <b>"),
    ("title: A title", "title: A _title_", ":2: title: is shown as it is: leave out _"),
    ("title: A title", "title: A\u2067 title", ":2: title: has an invisible character after 'A'"),
    ("2025-03-31", '"2025-03-31"', ":4: date: must be a day such as 2025-03-31: leave out the quo"),
    ("Some text.", "## A {#my id}", ":7: cannot be read: check what is written in braces"),
    ("A sentence", "A {question}", ":3: description: {question} isn't a placeholder"),
    ("step: organize\n", "", ":1: step: is missing"),
    ("organize", "organise", ":5: step: must be one of assess, clarify"),
    ("step: organize", "stage: organize", ":5: stage: unknown key"),
    ("step:", "draft: perhaps\nstep:", ":5: draft: must be true or false"),
    ("step:", "author: eve\nstep:", ":5: author: must name a file in docs/people/"),
    (
        "step:",
        "confirm: [Never said]\nstep:",
        ":5: confirm: the page does not say 'Never said'",
    ),
    ("step:", "updated: soon\nstep:", ":5: updated: must be a day such as"),
    (
        "step:",
        "redirect_from: https://x.test/\nstep:",
        ":5: redirect_from: must be addresses such as [/old/path/]",
    ),
    ("Some text.", "Some text.\n\n[gone](nowhere.md)", ":9: contains a link 'nowhere.md'"),
    ("Some text.", "[gone](#nowhere)", ":7: contains a link '#nowhere'"),
    ("Some text.", "A :material-nope: icon.", ":7: :material-nope: there is no icon"),
    ("Some text.", "**A** b.\n\nA ** b **.", ":9: ** marks nothing"),
    ("Some text.", '--8<-- "gone.md"', ":7: there is no file docs/includes/gone.md"),
    ("Some text.", "\n[gone](/insights/old/)", ":8: contains a link '/insights/old/'"),
    ("Some text.", "[own](http://127.0.0.1:8000/gone/)", ":7: contains a link 'http://127.0.0.1:8"),
    ("Some text.", "## A\n\n[part](/insights/ok/#b)", ":9: contains a link '/insights/ok/#b', but"),
    ("Some text.", "[soon](later.md)", ":7: links to insights/later.md, which is not published"),
    ("Some text.", "[soon](/insights/later/)", ":7: links to insights/later.md, which is not pub"),
    ("Some text.", "[soon]\n\n[soon]: later.md", ":9: links to insights/later.md, which is not"),
    ("Some text.", "[ok](/insights/ok/?a=b#main) ![](a.png)", ":7: the picture has no description"),
]
# A line in the front matter of another page, and the build's message.
IN_OTHER_PAGES = [
    ("template: question.html", ":4: template: must be one of framework.html, home.html"),
    ("evidence: yes please", ":4: evidence: must be a list, each entry with lines for client, sit"),
    ("evidence: [Bank]", ":4: evidence: must be a list, each entry with lines for client, sit"),
    ("choices:\n  - when: A\n    than: B", ":4: choices: entry 1, then: is missing"),
    ("questions:\n  - question: A\n    answer: 1", ":4: questions: entry 1, answer: must be text"),
]


def test_all_faults_of_pages_stop_the_build_by_file_and_line(tmp_path, caplog):
    docs = small_docs(tmp_path, draft="true")
    (docs / "insights" / "new.md").rename(docs / "insights" / "later.md")
    (docs / "insights" / "ok.md").write_text(ARTICLE, "utf-8")
    for number, (written, instead, _) in enumerate(FAULTS):
        article = ARTICLE.replace(written, instead)
        for same in ("A title", "A sentence"):
            article = article.replace(same, f"{same} {number}")
        (docs / "insights" / f"n{number}.md").write_text(article, "utf-8")
    for number, (lines, _) in enumerate(IN_OTHER_PAGES):
        front = f"---\ntitle: P{number}\ndescription: P{number}.\n{lines}\n---\nText.\n"
        (docs / f"p{number}.md").write_text(front, "utf-8")
    with pytest.raises(Abort):
        build_site(tmp_path / "site", docs)
    named = [f"insights/n{number}.md{said}" for number, (*_, said) in enumerate(FAULTS)]
    named += [f"p{number}.md{said}" for number, (_, said) in enumerate(IN_OTHER_PAGES)]
    assert [one for one in named if one not in caplog.text] == []


def test_a_missing_data_file_stops_the_build_by_name(tmp_path, caplog):
    docs = small_docs(tmp_path)
    (docs / "calls.yml").unlink()
    with pytest.raises(Abort):
        build_site(tmp_path / "site", docs)
    assert "docs/calls.yml: there is no such file" in caplog.text


def test_questions_for_calls_that_do_not_fit_the_framework_stop_the_build(
    build, caplog, tmp_path, monkeypatch
):
    brief = tmp_path / "brief.yml"
    brief.write_text(
        plugin.BRIEF.read_text("utf-8").replace("clarify-case:\n  - levels", "payer:\n  - levels")
    )
    monkeypatch.setattr(plugin, "BRIEF", brief)
    with pytest.raises(Abort):
        build()
    for said in ("lead_service/assess/brief.yml:", "payer: the framework has no such question"):
        assert said in caplog.text


def test_a_build_that_is_quiet_still_counts_dead_links(build, caplog):
    logging.getLogger("mkdocs").setLevel(logging.ERROR)  # the log level of `mkdocs build --quiet`
    with pytest.raises(Abort):
        build(ARTICLE + "\n[gone](nowhere.md)\n")
    assert "contains a link 'nowhere.md'" in caplog.text


@pytest.mark.parametrize("taken", ["/insights/", "/404.html", "/book/"])
def test_an_old_address_that_is_a_page_stops_the_build(build, caplog, taken):
    with pytest.raises(Abort):
        build(redirect_from=f"[{taken}]")
    assert f"insights/new.md:5: redirect_from: {taken} is a page" in caplog.text


@pytest.mark.parametrize(
    ("key", "line", "said"),
    [
        ("title", 2, "title: insights/new.md has the same one"),
        ("description", 3, "description: insights/new.md has the same one"),
        ("redirect_from", 5, "redirect_from: /insights/new/ has /old/ too"),
    ],
)
def test_values_that_must_be_unique_stop_the_build(tmp_path, caplog, key, line, said):
    docs = small_docs(tmp_path, redirect_from="[/old/]")
    first = (docs / "insights" / "new.md").read_text("utf-8")
    second = [f"{part} II" if ": A " in part else part for part in first.splitlines()]
    second = [part.replace("/old/", "/older/") for part in second]
    second[line - 1] = first.splitlines()[line - 1]
    (docs / "insights" / "second.md").write_text("\n".join(second), "utf-8")
    with pytest.raises(Abort):
        build_site(tmp_path / "site", docs)
    assert f"insights/second.md:{line}: {said}" in caplog.text


def test_a_person_is_one_file_and_the_portrait_is_resized_without_camera_data(tmp_path):
    docs = small_docs(tmp_path, author="ann-example")
    portrait(docs, ANN)
    site = build_site(tmp_path / "site", docs)
    (ann,) = json.loads((site / "people.json").read_text("utf-8"))
    assert ann["slug"] == "ann-example" and ann["lines"] == "She ran delivery. Now she advises."
    assert [width for width, _ in ann["portrait"]] == [96, 192, 384]
    for width, address in ann["portrait"]:
        with Image.open(site / address[1:]) as square:
            assert (square.size, square.format) == ((width, width), "JPEG")
            assert not square.getexif()
            red, green, _ = square.getpixel((width // 2, width // 2))
            assert red > green + 50  # it was stored rotated, with the red half below
    assert not (site / "people").exists()
    assert "<author><name>Ann Example</name>" in (site / "feed.xml").read_text("utf-8")
    page = (site / "insights/new/index.html").read_text("utf-8")
    assert '<a href="/about/#ann-example" rel="author">Ann Example</a>' in page
    assert '"author": {"@id": "http://127.0.0.1:8000/about/#ann-example", "@type": "Person"' in page


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ("role: Partner\n", "", ":1: role: is missing"),
        (
            "ann.jpg",
            "small.jpg",
            ":5: portrait: people/small.jpg has 90 pixels on its shorter side",
        ),
        ("https:", "http:", ":4: link: must be an address that starts with https://"),
        ("She ran", "She **ran**", ":7: lines: is shown as it is: leave out **"),
        ("She ran delivery.\nNow she advises.", "", ":2: name: write two or three lines about"),
    ],
)
def test_a_fault_in_a_person_stops_the_build(tmp_path, caplog, written, instead, said):
    docs = small_docs(tmp_path, author="ann-example")
    portrait(docs, ANN.replace(written, instead))
    with pytest.raises(Abort):
        build_site(tmp_path / "site", docs)
    assert f"people/ann-example.md{said}" in caplog.text and "author:" not in caplog.text


def test_all_mistakes_are_named_at_once_but_those_in_drafts_wait(tmp_path, caplog):
    docs = small_docs(tmp_path, ARTICLE + "\n![](gone.png)\n\n# Again\n")
    (docs / "insights" / "old.txt").write_text("Not an article.")
    draft = ARTICLE.replace("step:", "draft: true\nstep:").replace("Some text.", "A claim.[^9]")
    (docs / "insights" / "later.md").write_text(draft)
    with pytest.raises(Abort):
        build_site(tmp_path / "site", docs)
    for said in ("old.txt: rename it to old.md", "new.md:9: the picture", "new.md:11: only"):
        assert f"insights/{said}" in caplog.text
    assert "[^9]" not in caplog.text


@pytest.mark.parametrize("hidden", [{"draft": "true"}, {"publish": "2999-01-05"}])
def test_a_draft_is_not_published_nor_an_article_before_its_day(build, tmp_path, caplog, hidden):
    docs = small_docs(tmp_path, **hidden)
    for name in ("plan.pdf", "plan.png", "unused.svg"):
        (docs / "insights" / name).write_bytes(b"Secret")
    text = ARTICLE + "\n![A plan](plan.png) [The plan](plan.pdf)\n"
    site = build(text, **hidden, redirect_from="[/old/]")
    assert [*site.glob("**/plan.*"), *site.glob("**/unused.*")] == []
    assert "insights/plan.pdf: not published, because no published page uses it" in caplog.text
    assert not (site / "insights/new").exists() and not (site / "old").exists()
    assert "A title" not in (site / "articles.json").read_text("utf-8")


def test_a_picture_is_sent_in_sizes_and_its_original_is_not(tmp_path, caplog):
    text = "\n![A chart](Chart.png)\n\n![Again](Chart.png#only-dark){ width=300 }\n"
    text += "\n[Whole](photo.jpg)\n"
    docs = small_docs(tmp_path, ARTICLE + text)
    Image.new("RGB", (1000, 500), "navy").save(docs / "insights" / "Chart.png")
    camera = Image.Exif()
    camera[0x010F] = "A camera"
    Image.new("RGB", (40, 20), "navy").save(docs / "insights" / "photo.jpg", exif=camera)
    site = build_site(tmp_path / "site", docs)
    page = next(page for page in pages_of(site) if page.url == "/insights/new/")
    image, smaller = page.all("img")
    assert (smaller["width"], smaller["height"]) == ("300", "150")
    assert (smaller["sizes"], smaller["loading"]) == ("300px", "lazy") and "loading" not in image
    assert (image["width"], image["height"], image["alt"]) == ("1000", "500", "A chart")
    sizes = [one.split() for one in image["srcset"].split(", ")]
    assert [width for _, width in sizes] == ["400w", "800w", "1000w"]
    assert all((site / address.strip("/")).exists() for address, _ in sizes)
    assert not (site / "insights" / "Chart.png").exists()
    with Image.open(site / "insights" / "photo.jpg") as photo:
        assert photo.size == (40, 20) and not photo.getexif()
    feed = (site / "feed.xml").read_text("utf-8")
    assert f"src=&#34;http://127.0.0.1:8000{sizes[-1][0]}" in feed and "srcset" not in feed
    noise = Image.frombytes("RGB", (600, 600), os.urandom(1_080_000))
    noise.save(docs / "insights" / "Chart.png")
    with pytest.raises(Abort):
        build_site(tmp_path / "site", docs)
    assert "insights/new.md:9: insights/Chart.png weighs" in caplog.text


def test_a_later_change_is_told_to_readers_feeds_and_search_engines(build):
    site = build(updated="2025-06-30")
    assert "Updated" in (site / "insights/new/index.html").read_text("utf-8")
    assert "<updated>2025-06-30T00:00:00Z</updated>" in (site / "feed.xml").read_text("utf-8")
    assert "<lastmod>2025-06-30</lastmod>" in (site / "sitemap.xml").read_text("utf-8")
    assert '"dateModified": "2025-06-30"' in (site / "insights/new/index.html").read_text("utf-8")


def test_characters_with_a_meaning_in_html_are_shown_and_not_obeyed(build):
    site = build(ARTICLE.replace("A title", "'Risk < \"reward\" & more'"))
    for path in ("insights/new/index.html", "insights/index.html", "feed.xml"):
        text = (site / path).read_text("utf-8")
        assert "Risk &lt; " in text and "Risk < " not in text, path


def test_cached_files_unused_for_a_month_are_deleted(monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "FOLDER", tmp_path / "kept")
    used, unused = (Path(cache.keep("txt", (one,), bytes)) for one in ("used", "unused"))
    for path in (used, unused):
        os.utime(path, (0, 0))
    assert Path(cache.keep("txt", ("used",), pytest.fail)) == used
    cache.tidy()
    assert used.exists() and not unused.exists()
