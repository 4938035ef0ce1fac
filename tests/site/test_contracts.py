"""The files that the service, feed readers and search engines rely on."""

import gzip
import json
import re
import xml.etree.ElementTree as ElementTree
from datetime import date

import brotli

from lead_service.action_framework.loading import load
from lead_service.publishing.links import SERVICE
from tests.support.built_site import ORIGIN, ROOT

MARKERS = ("title", "description", "head", "masthead", "above", "content", "footer")
ATOM = "{http://www.w3.org/2005/Atom}"


def test_the_template_page_has_each_marker_once_in_its_place(site):
    page = (site / "200.html").read_text("utf-8")
    assert re.findall(r"<!--page:(\w+)-->", page) == list(MARKERS)
    assert "<title><!--page:title--> · ACTION Advisory</title>" in page
    assert '<meta name="description" content="<!--page:description-->">' in page
    assert re.search(r"<!--page:head-->\s*</head>", page)
    assert re.search(r'<main id="main"[^>]*><!--page:content--></main>', page)


def test_the_services_page_leaves_its_address_and_indexing_to_the_service(site):
    page = (site / "200.html").read_text("utf-8")
    assert "canonical" not in page and "og:url" not in page and "robots" not in page


def test_the_services_page_works_at_any_depth(site):
    page = (site / "200.html").read_text("utf-8")
    assert all(link[0] in "/#" for link in re.findall(r'(?:href|src)="([^"]*)"', page))


def test_the_list_of_articles_has_the_agreed_shape(site):
    listed = json.loads((site / "articles.json").read_text("utf-8"))
    assert listed["site_url"] == f"{ORIGIN}/" and listed["site_name"] == "ACTION Advisory"
    keys = {"title", "url", "slug", "step", "description", "date", "minutes", "phases"}
    keys |= {"author"}
    for article in listed["articles"]:
        assert set(article) == keys
        assert article["url"] == f"/insights/{article['slug']}/"
        assert (site / article["url"].strip("/") / "index.html").is_file()
        assert date.fromisoformat(article["date"]) and article["minutes"] >= 1
    dates = [article["date"] for article in listed["articles"]]
    assert dates == sorted(dates, reverse=True)


def test_the_framework_is_published_unchanged(site):
    published = (site / "framework.yml").read_text("utf-8")
    assert load(published).version == load((ROOT / "docs/framework.yml").read_text("utf-8")).version


def test_the_feed_is_atom_and_holds_every_article_whole(site):
    feed = ElementTree.parse(site / "feed.xml").getroot()
    articles = json.loads((site / "articles.json").read_text("utf-8"))["articles"]
    entries = feed.findall(f"{ATOM}entry")
    assert [entry.findtext(f"{ATOM}title") for entry in entries] == [a["title"] for a in articles]
    for entry in entries:
        assert entry.findtext(f"{ATOM}id").startswith(ORIGIN)
        assert "<p>" in entry.findtext(f"{ATOM}content")
        assert entry.findtext(f"{ATOM}updated").endswith("T00:00:00Z")


def test_the_sitemap_lists_every_page_that_should_be_found(site, pages):
    sitemap = ElementTree.parse(site / "sitemap.xml").getroot()
    listed = {element.text for element in sitemap.iter() if element.tag.endswith("loc")}
    readable = {page.url for page in pages} - {"/404.html", "/200.html", "/503.html"}
    service = set(SERVICE)
    assert listed == {ORIGIN + url for url in readable | service}


def test_every_text_file_has_compressed_copies_that_say_the_same(site):
    texts = [p for p in site.rglob("*") if p.suffix in {".html", ".css", ".js", ".json", ".xml"}]
    large = {path: path.read_bytes() for path in texts if path.stat().st_size > 200}
    assert len(large) > 20
    for path, content in large.items():
        assert gzip.decompress(path.with_name(path.name + ".gz").read_bytes()) == content
        assert brotli.decompress(path.with_name(path.name + ".br").read_bytes()) == content


def test_nothing_of_the_themes_own_face_is_published(site):
    names = {path.name.split(".")[0] for path in (site / "assets").iterdir()}
    ours = {"site", "search", "boot", "icon", "icon-180", "icon-192", "icon-512", "cards"}
    assert names == ours | {
        f"serif-{style}{part}" for style in ("regular", "it", "semibold") for part in ("", "-latin")
    }
