"""The compressed size of a first visit, within fixed budgets."""

import json
import re

import pytest

FIRST_VISIT, OF_HOME = 45_000, 30_000
FIRST_ROUND_TRIP = 14_600  # bytes of the first round trip (RFC 6928)
SCRIPTS = 5_000
SEARCH = 10_000  # until the first result
REQUESTS = 8
# Text elements of each font face; the first has all other text.
FACES = {"serif-regular": set(), "serif-semibold": {"strong", "b"}, "serif-it": {"em", "i", "cite"}}
UNSEEN = {"manifest", "apple-touch-icon", "alternate", "canonical"}  # loaded on demand only


def sent(site, url: str) -> int:
    """Return the compressed size of a file."""
    path = site / url.lstrip("/")
    small = path.with_name(path.name + ".br")
    return (small if small.exists() else path).stat().st_size


def loaded(site, page) -> dict[str, int]:
    """List the files that a page loads, with the font faces that its text needs."""
    linked = [tag["href"] for tag in page.all("link") if tag["rel"] not in UNSEEN]
    scripts = [tag.get("src") or tag.get("data-site") for tag in page.all("script")]
    faces = [
        face for face, tags in FACES.items() if not tags or tags & {tag for tag, _ in page.tags}
    ]
    fonts = [
        f"/assets/{font.name}" for face in faces for font in site.glob(f"assets/{face}.*.woff2")
    ]
    assert len(fonts) == len(faces)
    itself = f"{page.url}index.html" if page.url.endswith("/") else page.url
    ahead = "/speculation.json"
    return {url: sent(site, url) for url in {itself, ahead, *linked, *scripts, *fonts} if url}


@pytest.fixture
def visits(site, pages):
    """The files that each page of the site loads, by address."""
    return {page.url: loaded(site, page) for page in pages if page.url != "/200.html"}


def test_a_first_visit_to_any_page_is_small(visits):
    for url, files in visits.items():
        assert sum(files.values()) <= (OF_HOME if url == "/" else FIRST_VISIT), (url, files)
        assert len(files) <= REQUESTS, (url, files)


def test_the_first_render_needs_one_round_trip(visits, pages):
    for url, files in visits.items():
        [html] = [size for name, size in files.items() if name.endswith(".html")]
        assert html <= FIRST_ROUND_TRIP, url
    for page in pages:
        blocking = [tag for tag in page.all("script") if "src" in tag]
        # Late fonts delay nothing (tests/site/test_in_browser.py).
        blocking += [
            tag
            for tag in page.all("link")
            if tag["rel"] in ("stylesheet", "preload") and tag.get("as") != "font"
        ]
        assert not blocking or page.url == "/200.html"


def test_scripts_are_few(visits, pages):
    for page in pages:
        if page.url in visits:
            inline = re.search(r"<script data-site.*?>(.*?)</script>", page.source, re.DOTALL)[1]
            files = visits[page.url].items()
            scripts = [size for name, size in files if name.endswith(".js")]
            assert scripts and sum(scripts) + len(inline) <= SCRIPTS, page.url


def test_the_first_result_of_a_search_needs_few_bytes(site):
    listed = json.loads((site / "search.json").read_text("utf-8"))
    [script], [style] = site.glob("assets/search.*.js"), site.glob("assets/search.*.css")
    first = f"/{script.relative_to(site)}", f"/{style.relative_to(site)}", "/search.json"
    words = [listed["folder"] + f"{letter}.json" for letter in "bo"]  # budget owner
    assert sum(sent(site, url) for url in (*first, *words)) <= SEARCH
