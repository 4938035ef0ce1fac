"""Checks of every built page."""

import re
from itertools import pairwise
from urllib.parse import urljoin, urlsplit

import html5lib

from lead_service.publishing.links import SERVICE
from tests.support.built_site import ORIGIN

STEPS = ("assess", "clarify", "transform", "implement", "organize", "nurture")
PROMISED = {
    *("/", "/insights/", "/framework/", "/services/", "/about/", "/privacy/", "/accessibility/"),
    *("/discovery-call/", "/questions/"),
    *(f"/framework/{step}/" for step in STEPS),
    *("/insights/why-most-ai-pilots-never-scale/", "/404.html", "/503.html", "/200.html"),
}


def test_every_promised_address_is_published(pages):
    assert {page.url for page in pages} >= PROMISED


def test_every_page_is_valid_html(pages):
    for page in pages:
        html5lib.HTMLParser(strict=True).parse(page.source)


def test_every_page_has_one_main_heading_and_leaves_the_services_own_to_it(pages):
    headings = {page.url: len(page.all("h1")) for page in pages}
    assert headings.pop("/200.html") == 0
    assert set(headings.values()) == {1}, headings


def test_every_page_has_its_own_title_and_description(pages):
    for said in ([page.title for page in pages], [page.description for page in pages]):
        assert all(said) and len(set(said)) == len(said), said


def test_no_id_is_used_twice_on_a_page(pages):
    for page in pages:
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        assert len(set(ids)) == len(ids), page.url


def test_every_page_can_be_skipped_to_its_one_main_area(pages):
    for page in pages:
        assert [tag["id"] for tag in page.all("main")] == ["main"], page.url
        assert page.all("a")[0]["href"] == "#main", page.url


def test_no_heading_level_is_skipped(pages):
    for page in pages:
        levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
        for before, after in pairwise(levels):
            assert after <= before + 1, (page.url, levels)


def test_no_attribute_violates_the_content_security_policy(pages):
    for page in pages:
        for tag, attributes in page.tags:
            assert "style" not in attributes, (page.url, tag)
            assert not [name for name in attributes if name.startswith("on")], (page.url, tag)


def test_without_a_stylesheet_no_drawing_fills_the_window(pages):
    for page in pages:
        for tag in re.findall(r"<svg[^>]*>", page.source):
            assert " height=" in tag, (page.url, tag)


def test_no_request_leaves_the_host(pages, site):
    for page in pages:
        for tag, attributes in page.tags:
            for name in ("src", "srcset", "href", "action", "poster", "data"):
                target = urlsplit(urljoin(ORIGIN, attributes.get(name, "")))
                assert target.netloc in {"", "127.0.0.1:8000"}, (page.url, tag, target)
    for path in (*site.rglob("*.css"), *site.rglob("*.js")):
        assert "://" not in path.read_text("utf-8"), path


def test_every_link_leads_to_a_page_and_every_fragment_to_a_place(pages, site):
    ids = {page.url: {attributes.get("id") for _, attributes in page.tags} for page in pages}
    for page in pages:
        for _, attributes in page.tags:
            link = attributes.get("href") or attributes.get("src") or ""
            target = urlsplit(urljoin(ORIGIN + page.url, link))
            if target.scheme != "http" or target.path in SERVICE:
                continue
            if target.path in ids:
                assert target.fragment in ids[target.path] | {""}, (page.url, link)
            else:
                assert (site / target.path.lstrip("/")).is_file(), (page.url, link)


def test_the_framework_carries_its_mark_where_a_page_first_names_it(pages):
    for page in pages:
        named = re.search(r"ACTION(?! Advisory)(.)", page.main_text)
        assert named is None or named[1] == "™", (page.url, page.main_text[:200])


def test_every_page_has_a_next_step_that_can_be_taken(pages):
    step = re.compile(r'class="button" href="/(assessment|book|contact|insights)/')
    form = '<form method="post" action="/assessment/">'
    for page in pages:
        main = page.source.split("<main", 1)[1]
        assert step.search(main) or form in main or page.url == "/200.html", page.url
