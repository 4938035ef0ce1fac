"""The result as a PDF: for the owner of the result, without links that open it."""

import re
import zlib
from pathlib import Path

import pytest
import yaml

from tests.support.app.visitor_forms import WORST, assess, begin

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture
def result(client, framework) -> str:
    return assess(client, framework, WORST)


def whole(file: bytes) -> bytes:
    """Return a PDF's content with its streams decompressed."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", file, re.DOTALL)
    opened = [zlib.decompressobj() for _ in streams]
    return file + b"".join(_inflate(one, each) for one, each in zip(opened, streams, strict=True))


def _inflate(opened, stream: bytes) -> bytes:
    try:
        return opened.decompress(stream)
    except zlib.error:
        return b""


def test_the_pdf_is_served_as_a_file(client, result):
    answer = client.get(result.replace("/result/", "/result.pdf"))
    assert answer.status_code == 200
    assert answer.mimetype == "application/pdf"
    assert answer.data.startswith(b"%PDF-")
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"


def test_the_pdf_links_to_the_site_but_not_to_the_result(client, result):
    client.post(result + "share")
    file = whole(client.get(result.replace("/result/", "/result.pdf")).data)
    links = re.findall(rb"/URI\((http[^)]*)\)", file)
    assert b"http://127.0.0.1:8000/book/" in links
    assert b"http://127.0.0.1:8000/insights/about-clarify/" in links
    assert not [link for link in links if b"/assessment/" in link]
    assert result.split("/")[2].encode() not in file


def test_an_unfinished_assessment_has_no_pdf(client, framework):
    begun = begin(client, framework)
    early = client.get(begun + "result.pdf")
    assert (early.status_code, early.location) == (303, begun)


def test_an_example_shows_buyers_a_result_as_a_page_and_as_a_file(client):
    page = client.get("/assessment/example/").text
    assert "An example, with made-up answers" in page and 'content="index"' in page
    assert "First move" in page and 'href="/assessment/example.pdf"' in page
    assert client.get("/assessment/example.pdf").data.startswith(b"%PDF-")


def test_the_first_page_shows_the_scores_and_the_headline_of_the_example(client):
    _, front_matter, _ = (DOCS / "index.md").read_text("utf-8").split("---\n", 2)
    shown = yaml.safe_load(front_matter)["result"]
    page = client.get("/assessment/example/").text
    scores = re.findall(r'class="score">(\d+)<', page)
    assert scores == [str(score) for score in shown["scores"].values()]
    said = " ".join(re.sub("<[^>]+>", "", page).split())
    assert all(sentence in said for sentence in shown["headline"].split(". "))
