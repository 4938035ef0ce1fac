"""The practice's name and address on the site, from the same settings as the service."""

from pathlib import Path
from shutil import copytree

import pytest
from mkdocs.exceptions import Abort

from tests.support.built_site import ANN, ROOT, build_site, pages_of, portrait, small_docs

GIVEN = {
    "PRACTICE_NAME": "Example & Partners",
    "PRACTICE_LEGAL_NAME": "Example Partners LLC",
    "PRACTICE_POSTAL_ADDRESS": "1 Example Street\nExample City",
    "PRACTICE_EMAIL": "hello@example.com",
    "PRACTICE_PHONE": "+1 555 0100",
    "PRACTICE_COUNTRY": "DE",
    "PRACTICE_RESPONSIBLE": "Erika Example",
    "PRACTICE_VAT_ID": "DE123456789",
    "RETENTION_DAYS": "365",
    "PUBLIC_URL": "https://www.example.com",
}


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """The pages of a site with all settings of the practice, and one person."""
    folder = tmp_path_factory.mktemp("named")
    docs = Path(copytree(ROOT / "docs", folder / "docs"))
    portrait(docs, ANN)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in GIVEN.items():
            patch.setenv(name, value)
        return pages_of(build_site(folder / "site", docs))


def test_every_page_says_who_publishes_it(named):
    for page in named:
        assert "Example &amp; Partners" in page.title
        foot = page.source.split("<footer", 1)[1]
        for value in ("Example Partners LLC", "1 Example Street", "hello@example.com"):
            assert value in foot, page.url
        assert 'href="tel:+15550100"' in foot


def test_every_page_knows_its_own_address(named):
    for page in named:
        canonical = [tag["href"] for tag in page.all("link") if tag.get("rel") == "canonical"]
        readable = page.url not in {"/404.html", "/200.html", "/503.html"}
        assert canonical == ([f"https://www.example.com{page.url}"] if readable else [])


def test_people_are_shown_where_a_reader_decides_and_no_one_without_them(named, pages):
    for url in ("/", "/about/", "/services/"):
        ours, without = (
            next(page for page in built if page.url == url) for built in (named, pages)
        )
        assert (
            "Ann Example" in ours.main_text and "Who you\u2019ll work with" not in without.main_text
        )
        picture = next(tag for tag in ours.all("img"))
        assert picture["alt"] == "Portrait of Ann Example"
        assert picture["width"] == picture["height"] and picture["sizes"]
        assert not without.all("img")
        data = '"@id": "https://www.example.com/about/#ann-example"'
        assert (data in ours.source) == (url != "/services/")
    assert 'id="ann-example"' in next(page for page in named if page.url == "/about/").source


def test_a_practice_that_gives_no_address_shows_no_empty_one(pages):
    assert not [page.url for page in pages if page.all("address")]


def test_a_site_has_an_imprint_where_the_country_asks_for_one(named, pages):
    imprint = next(page for page in named if page.url == "/imprint/")
    for fact in ("Example Partners LLC", "1 Example Street", "Erika Example", "DE123456789"):
        assert fact in imprint.main_text
    assert "Register" not in imprint.main_text  # none is set
    assert all('href="/imprint/"' in page.source for page in named)
    assert not [page.url for page in pages if "imprint" in page.source]


def test_the_first_page_says_in_data_who_publishes_it(named):
    home = next(page for page in named if page.url == "/").source
    for fact in ('"legalName": "Example Partners LLC"', '"telephone": "+1 555 0100"'):
        assert fact in home


def test_the_privacy_page_says_how_long_leads_are_kept_here(named, pages):
    for built, period in ((named, "one year"), (pages, "two years")):
        text = next(page for page in built if page.url == "/privacy/").main_text
        assert f"erase all of this {period} after the last contact" in text and "{" not in text


def test_a_site_without_settings_names_the_port_of_its_service(tmp_path, monkeypatch):
    for name, value in (("PUBLIC_URL", ""), ("PRACTICE_NAME", ""), ("PORT", "8171")):
        monkeypatch.setenv(name, value)
    site = build_site(tmp_path / "site", small_docs(tmp_path))
    for name in ("articles.json", "feed.xml", "sitemap.xml", "robots.txt", "index.html"):
        said = (site / name).read_text("utf-8")
        assert "http://127.0.0.1:8171/" in said and ":8000" not in said, name
    assert "ACTION Advisory" in (site / "index.html").read_text("utf-8")


def test_a_wrong_setting_stops_the_build_with_one_line_each(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("PUBLIC_URL", "nowhere")
    monkeypatch.setenv("RETENTION_DAYS", "long")
    with pytest.raises(Abort):
        build_site(tmp_path / "site", small_docs(tmp_path))
    for fault in ("PUBLIC_URL: must be an address", "RETENTION_DAYS: must be a whole number"):
        assert caplog.text.count(fault) == 1
