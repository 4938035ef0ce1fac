"""The index of the full text, and how words are distributed over its files."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_service.publishing import cache
from lead_service.publishing.search_index import LARGEST, ROOM, SearchIndex, blocks, fold, shards

PAGE = """<nav>Menu</nav><main id="main"><article><nav>Contents</nav><h1>A title</h1>
<p>It&rsquo;s a <b>caf</b>é &amp; more.</p><ul class="plain-list entries"><li>Another page</li></ul>
<p>One<br>two</p></article><p>Read next</p></main><footer>Foot</footer>"""


def test_a_pages_own_text_is_indexed_by_paragraphs_and_nothing_around_it():
    assert blocks(PAGE) == (("title",), ("its", "cafe", "more"), ("one",), ("two",))


@given(st.sets(st.text("abc", min_size=2, max_size=6), min_size=1), st.integers(1, 3))
def test_every_word_is_in_one_file_whose_name_it_begins_with(words, part):
    places = "1 " * (LARGEST // part)
    files = dict(shards(dict.fromkeys(sorted(words), places)))
    assert sorted(word for file in files.values() for word in file) == sorted(words)
    for name, file in files.items():
        for word in file:
            assert word == name[:-1] if name.endswith("_") else word.startswith(name)


def test_paragraphs_are_stored_by_the_gaps_between_them(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "FOLDER", tmp_path / "kept")
    index = SearchIndex()
    pages = {"one": "<p>pilot</p><p>budget</p><p>pilot</p>", "two": "<p>a pilot</p>"}
    for name, html in pages.items():
        (tmp_path / name).write_text(html, "utf-8")
    index.add("/one/", "One", str(tmp_path / "one"), ["price", "fees"])
    index.add("/two/", "Two", str(tmp_path / "two"), [])
    index.add_described("/book/", "Book a call", "R&D", ["meeting"])
    index.write(tmp_path)
    listed = json.loads((tmp_path / "search.json").read_text("utf-8"))
    assert listed["pages"] == [
        ["/one/", "One", ROOM, "price fees"],
        ["/two/", "Two", ROOM, ""],
        ["/book/", "Book a call", ROOM, "meeting", "R&D"],
    ]
    folder = tmp_path / listed["folder"].strip("/")
    assert {path.stem for path in folder.iterdir()} == {*listed["files"].split()} == {*"pbcr"}
    assert json.loads((folder / "p.json").read_text("utf-8")) == {"pilot": f"0 2 {ROOM - 2}"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Organisations", "organizations"),
        ("analyse", "Analyze"),
        ("behavioural", "behavioral"),
        ("E-mails", "emails"),
        ("$360,000", "$360000"),
        ("R&D, AT&T & M&A", "rd, att & ma"),
        ("Q & A, U.S.", "qa, us."),
        ("5 > 3", "53"),
    ],
)
def test_a_word_is_found_in_either_of_its_spellings(one, other):
    assert fold(one) == fold(other)


@given(st.text("aeiouyzrsb", max_size=9), st.text("aeiouyzrsb", max_size=3))
def test_the_beginning_of_a_word_folds_to_the_beginning_of_the_folded_word(begin, rest):
    assert fold(begin + rest).startswith(fold(begin))
