"""Files for programs: cards, structured data, icons, and lists of the site's pages."""

import json
import struct
from datetime import date

import pytest

from tests.support.built_site import ORIGIN

NOT_PAGES = {"/404.html", "/200.html", "/503.html"}


def size(picture: bytes) -> tuple[int, int]:
    """Return width and height of a PNG in pixels."""
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">2I", picture[16:24])


@pytest.fixture(scope="module")
def readable(pages):
    return [page for page in pages if page.url not in NOT_PAGES]


def said(page) -> dict[str, str]:
    """Return a page's meta tags."""
    return {
        tag.get("property") or tag["name"]: tag["content"]
        for tag in page.all("meta")
        if "content" in tag
    }


def graph(page) -> dict[str, dict]:
    """Return a page's JSON-LD by type."""
    text = page.source.split('<script type="application/ld+json">')[1].split("</script>")[0]
    data = json.loads(text)
    assert data["@context"] == "https://schema.org"
    return {item["@type"]: item for item in data["@graph"]}


def test_every_page_has_its_own_card_in_the_size_for_social_networks(readable, site):
    cards = [said(page)["og:image"] for page in readable]
    assert len(set(cards)) == len(cards)
    for card in cards:
        assert card.startswith(ORIGIN)
        assert size((site / card.removeprefix(f"{ORIGIN}/")).read_bytes()) == (1200, 630)


def test_every_page_but_the_first_has_breadcrumbs(readable):
    for page in readable:
        facts = graph(page)
        if page.url == "/":
            assert set(facts) == {"Organization", "WebSite"}
            continue
        trail = facts["BreadcrumbList"]["itemListElement"]
        assert [item["position"] for item in trail] == [*range(1, len(trail) + 1)]
        assert trail[0]["item"] == f"{ORIGIN}/" and trail[-1]["item"] == ORIGIN + page.url
        assert len(trail) == page.url.count("/")


def test_an_articles_facts_are_those_of_the_list(readable, site):
    by_url = {page.url: page for page in readable}
    for article in json.loads((site / "articles.json").read_text("utf-8"))["articles"]:
        facts = graph(by_url[article["url"]])["Article"]
        assert facts["headline"] == article["title"]
        assert facts["description"] == article["description"]
        assert facts["datePublished"] == article["date"] <= facts["dateModified"]
        assert facts["publisher"]["name"] == "ACTION Advisory"


def test_questions_are_announced_only_where_they_are_asked_and_answered(readable):
    announced = {page.url: graph(page).get("FAQPage") for page in readable}
    assert [url for url, faq in announced.items() if faq] == ["/questions/"]
    asked = next(page for page in readable if page.url == "/questions/")
    for question in announced["/questions/"]["mainEntity"]:
        assert question["name"] in asked.main_text
        assert question["acceptedAnswer"]["text"] in asked.main_text


def test_services_steps_and_articles_are_announced_on_the_pages_that_list_them(
    readable, framework, site
):
    by_url = {page.url: graph(page) for page in readable}
    assert by_url["/services/"]["Service"]["name"] == framework.engagements[-1].name
    terms = by_url["/framework/"]["DefinedTermSet"]["hasDefinedTerm"]
    assert [(one["name"], one["url"]) for one in terms] == [
        (step.name, f"{ORIGIN}/framework/{step.slug}/") for step in framework.steps
    ]
    articles = json.loads((site / "articles.json").read_text("utf-8"))["articles"]
    listed = by_url["/insights/"]["ItemList"]["itemListElement"]
    assert [one["item"] for one in listed] == [f"{ORIGIN}{article['url']}" for article in articles]


def test_the_icons_of_the_manifest_have_the_declared_sizes(site):
    manifest = json.loads((site / "site.webmanifest").read_text("utf-8"))
    assert manifest["name"] == "ACTION Advisory" and manifest["start_url"] == "/"
    pictures = [icon for icon in manifest["icons"] if icon["type"] == "image/png"]
    assert [icon["sizes"] for icon in pictures] == ["192x192", "512x512"]
    for icon in manifest["icons"]:
        content = (site / icon["src"].lstrip("/")).read_bytes()
        if icon in pictures:
            assert "{}x{}".format(*size(content)) == icon["sizes"]


def test_icons_are_there_for_programs_that_do_not_read_svg(site, readable):
    apple = next(t["href"] for t in readable[0].all("link") if t["rel"] == "apple-touch-icon")
    assert size((site / apple.lstrip("/")).read_bytes()) == (180, 180)
    icon = (site / "favicon.ico").read_bytes()
    assert icon[:4] == b"\0\0\1\0" and size(icon[22:]) == (32, 32)


def test_the_guide_for_language_models_names_every_article_and_step(site, framework):
    guide = (site / "llms.txt").read_text("utf-8")
    assert guide.startswith("# ACTION Advisory\n\n> ")
    for article in json.loads((site / "articles.json").read_text("utf-8"))["articles"]:
        assert (
            f"- [{article['title']}]({ORIGIN}{article['url']}): {article['description']}" in guide
        )
    for step in framework.steps:
        assert f"({ORIGIN}/framework/{step.slug}/)" in guide


def test_an_article_is_as_new_in_the_sitemap_as_in_the_list(site):
    sitemap = (site / "sitemap.xml").read_text("utf-8")
    articles = json.loads((site / "articles.json").read_text("utf-8"))["articles"]
    for article in articles:
        entry = sitemap.split(f"<loc>{ORIGIN}{article['url']}</loc>")[1].split("</url>")[0]
        assert entry == f"<lastmod>{article['date']}</lastmod>"
    days = [part.split("<")[0] for part in sitemap.split("<lastmod>")[1:]]
    assert max(map(date.fromisoformat, days)) <= date.today()
