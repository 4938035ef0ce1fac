"""Files for programs follow the specification of their format."""

import html
import json
import re
import xml.etree.ElementTree as ElementTree
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

import pytest

from lead_service.publishing.links import SERVICE
from tests.support.built_site import ORIGIN, Page

ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
DISPLAYS = ("fullscreen", "standalone", "minimal-ui", "browser")
ADDRESSES = ("url", "item", "logo", "image", "mainEntityOfPage", "@id")
# Properties that Google requires or recommends for rich results
NEEDED = {
    "DefinedTerm": {"name", "description", "url"},
    "DefinedTermSet": {"name", "hasDefinedTerm"},
    "ItemList": {"itemListElement"},
    "Service": {"name", "description", "provider", "url"},
    "Organization": {"name", "url", "logo"},
    "WebSite": {"name", "url"},
    "Article": {"headline", "image", "datePublished", "dateModified", "author", "publisher"},
    "Person": {"name"},
    "BreadcrumbList": {"itemListElement"},
    "ListItem": {"position", "name", "item"},
    "FAQPage": {"mainEntity"},
    "Question": {"name", "acceptedAnswer"},
    "Answer": {"text"},
}


def is_published(site, address: str) -> bool:
    """Say whether an address of this site is a file, or a page of the service."""
    assert address.startswith(f"{ORIGIN}/"), address
    path = urlsplit(address).path
    file = site / f"{path.lstrip('/')}{'index.html' if path.endswith('/') else ''}"
    return path in SERVICE or file.is_file()


@pytest.fixture(scope="module")
def feed(site):
    return ElementTree.parse(site / "feed.xml").getroot()


def moment(element, name: str) -> datetime:
    return datetime.fromisoformat(element.findtext(f"{ATOM}{name}"))


def test_the_feed_has_the_elements_that_rfc_4287_requires(feed, site):
    for name in ("id", "title", "updated", "author"):
        assert len(feed.findall(f"{ATOM}{name}")) == 1
    links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}
    assert set(links) == {"self", "alternate"}
    assert all(is_published(site, address) for address in links.values())
    changes = [moment(entry, "updated") for entry in feed.iter(f"{ATOM}entry")]
    assert moment(feed, "updated") == max(changes)


def test_each_entry_has_the_elements_that_rfc_4287_requires(feed, site):
    entries = feed.findall(f"{ATOM}entry")
    ids = {entry.findtext(f"{ATOM}id") for entry in entries}
    assert len(ids) == len(entries) and all(is_published(site, id) for id in ids)
    for entry in entries:
        assert moment(entry, "published") <= moment(entry, "updated")
        assert entry.find(f"{ATOM}link").get("rel") == "alternate"
        assert entry.find(f"{ATOM}content").get("type") == "html"
        assert entry.findtext(f"{ATOM}title") and entry.findtext(f"{ATOM}summary")


def test_the_links_in_a_feed_work_wherever_it_is_read(feed, site):
    texts = [content.text for content in feed.iter(f"{ATOM}content")]
    links = re.findall(r'(?:href|src)="([^"]*)"', "".join(texts))
    assert len(links) > 10
    assert all(is_published(site, html.unescape(link)) for link in links)


def facts(page: Page) -> dict:
    return json.loads(page.source.split('"application/ld+json">')[1].split("</script>")[0])


def things(value):
    """Yield every object with a type, at any depth."""
    if isinstance(value, dict):
        if "@type" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from things(one)


def test_structured_data_is_complete_and_every_address_in_it_is_there(pages, site):
    seen = set()
    for page in (page for page in pages if "ld+json" in page.source):
        for thing in things(facts(page)):
            seen.add(thing["@type"])
            assert set(thing) >= NEEDED[thing["@type"]], page.url
            for name in ADDRESSES:
                if name in thing:
                    assert is_published(site, thing[name]), (page.url, name)
            assert len(thing.get("headline", "")) <= 110  # longer ones are not shown
    assert seen == set(NEEDED) - {"Person"}  # named only if an author is set


def test_ids_in_json_ld_are_defined_on_the_same_page(pages):
    home = facts(next(page for page in pages if page.url == "/"))
    described = {thing.get("@id") for thing in things(home)}
    assert {item["publisher"]["@id"] for item in home["@graph"] if "publisher" in item} <= described


def test_the_open_graph_of_each_page_is_whole(pages, site):
    for page in (page for page in pages if "ld+json" in page.source):
        said = [(tag["property"], tag["content"]) for tag in page.all("meta") if "property" in tag]
        graph = dict(said)
        assert len(graph) == len(said), page.url
        assert all(graph[f"og:{name}"] for name in ("title", "type", "image", "url", "image:alt"))
        assert is_published(site, graph["og:image"]) and graph["og:url"] == ORIGIN + page.url
        assert graph["og:description"] == page.description and graph["og:title"] in page.title
        assert (graph["og:image:width"], graph["og:image:height"]) == ("1200", "630")
        times = [value for name, value in said if name.endswith("_time")]
        assert [date.fromisoformat(time) for time in times] == sorted(
            map(date.fromisoformat, times)
        )
        is_article = page.url.startswith("/insights/") and page.url != "/insights/"
        assert graph["og:type"] == ("article" if is_article else "website")
        assert len(times) == (2 if is_article else 0)
        assert {"name": "twitter:card", "content": "summary_large_image"} in page.all("meta")


def test_the_manifest_has_members_of_the_kinds_that_browsers_take(site):
    manifest = json.loads((site / "site.webmanifest").read_text("utf-8"))
    assert manifest["display"] in DISPLAYS and manifest["lang"] == "en"
    for name in ("background_color", "theme_color"):
        assert re.fullmatch("#[0-9a-f]{6}", manifest[name])
    for icon in manifest["icons"]:
        assert is_published(site, ORIGIN + icon["src"])
        assert set(icon.get("purpose", "any").split()) <= {"any", "maskable", "monochrome"}


def test_the_sitemap_keeps_to_the_protocol(site):
    sitemap = ElementTree.parse(site / "sitemap.xml").getroot()
    assert sitemap.tag == f"{SITEMAP}urlset"
    for url in sitemap:
        assert url.tag == f"{SITEMAP}url" and len(url.findall(f"{SITEMAP}loc")) == 1
        assert is_published(site, url.findtext(f"{SITEMAP}loc"))
        assert date.fromisoformat(url.findtext(f"{SITEMAP}lastmod", "2025-01-01"))


def test_a_robot_reads_the_rules_as_they_are_meant(site):
    robot = RobotFileParser()
    robot.parse((site / "robots.txt").read_text("utf-8").splitlines())
    assert robot.can_fetch("Example", f"{ORIGIN}/insights/")
    assert not robot.can_fetch("Example", f"{ORIGIN}/desk/sign-in/")
    assert robot.site_maps() == [f"{ORIGIN}/sitemap.xml"]


def test_security_txt_has_a_contact(site):
    """RFC 9116: contact, an expiry within about a year, and the canonical address."""
    text = (site / ".well-known/security.txt").read_text("utf-8")
    fields = dict(line.split(": ", 1) for line in text.splitlines())
    assert set(fields) == {"Contact", "Expires", "Canonical", "Preferred-Languages"}
    assert fields["Contact"].startswith(("mailto:", "http"))
    until = datetime.fromisoformat(fields["Expires"].replace("Z", "+00:00")) - datetime.now(UTC)
    assert timedelta(days=300) < until < timedelta(days=398)
    assert fields["Canonical"].endswith("/.well-known/security.txt")
