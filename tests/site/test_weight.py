"""What a first visit downloads, compressed: budgets in bytes, which are the same on every run."""

import re

import pytest

FIRST_VISIT = 45_000
FIRST_ROUND_TRIP = 14_600  # what a server may send before the browser has answered (RFC 6928)
SCRIPTS = 5_000


def sent(site, url: str) -> int:
    """Return the bytes of a file as a browser receives it."""
    path = site / url.lstrip("/")
    small = path.with_name(path.name + ".br")
    return (small if small.exists() else path).stat().st_size


def loaded(site, page: str) -> dict[str, int]:
    """List what a page loads, with every font face that English text could ask for."""
    text = (site / page).read_text("utf-8")
    linked = re.findall(r'<link rel="(?:stylesheet|preload|icon)" href="([^"]+)"', text)
    scripts = re.findall(r'<script src="([^"]+)"', text)
    fonts = [f"/assets/{font.name}" for font in site.glob("assets/serif-*.woff2")]
    english = [font for font in fonts if "-latin" not in font]
    return {url: sent(site, url) for url in {page, *linked, *scripts, *english}}


@pytest.mark.parametrize(
    "page", ["index.html", "insights/why-most-ai-pilots-never-scale/index.html"]
)
def test_a_first_visit_is_small(site, page):
    files = loaded(site, page)
    assert sum(files.values()) <= FIRST_VISIT, files
    assert len(files) <= 8, files
    blocking = [size for url, size in files.items() if url.endswith((".html", ".css"))]
    assert sum(blocking) <= FIRST_ROUND_TRIP, files
    assert sum(size for url, size in files.items() if url.endswith(".js")) <= SCRIPTS, files
