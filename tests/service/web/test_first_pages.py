"""The first page of a visit: it waits for no other file, and fits in one round trip."""

import gzip
import re
import shutil
from base64 import b64encode
from hashlib import sha256

import pytest

from lead_service import create_app
from lead_service.settings import load
from lead_service.web import first_pages

FIRST_ROUND_TRIP = 14_600  # bytes (RFC 6928)
BLOCKS = re.compile(r"<(style|script)(?: data-[^>]*)?>(.*?)</\1>", re.DOTALL)


@pytest.fixture
def environment(environment, built_site):
    return environment | {"SITE_DIR": str(built_site)}


@pytest.mark.parametrize("path", ["/book/", "/contact/", "/assessment/", "/contact/?utm_source=x"])
def test_a_first_page_holds_its_styles_and_first_script_which_its_policy_allows(client, path):
    page = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert len(page.data) <= FIRST_ROUND_TRIP
    text = gzip.decompress(page.data).decode()
    assert 'rel="stylesheet"' not in text and re.findall("<script src", text) == []
    blocks = BLOCKS.findall(text)
    assert {tag for tag, _ in blocks} == {"style", "script"}
    policy = page.headers["Content-Security-Policy"]
    for tag, content in blocks:
        digest = b64encode(sha256(content.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in re.search(f"{tag}-src [^;]*", policy)[0]
    assert policy.count("sha256-") == len(blocks)


def test_pages_after_the_first_and_those_with_secrets_link_them(client):
    for path in ("/book/?zone=Europe/Paris", "/book/?for=unknown", "/assessment/unknown/"):
        page = client.get(path, headers={"Accept-Encoding": "gzip"})
        assert "sha256-" not in page.headers["Content-Security-Policy"]


def test_a_file_that_a_newer_build_has_replaced_is_linked(environment, built_site, tmp_path):
    site = shutil.copytree(built_site, tmp_path / "site")
    client = create_app(load(environment | {"SITE_DIR": str(site)})).test_client()
    first_pages._block.cache_clear()
    for path in (site / "assets").glob("*.[cj]s*"):
        path.unlink()
    page = client.get("/contact/", headers={"Accept-Encoding": "gzip"})
    assert page.status_code == 200
    assert b'<link rel="stylesheet" href="/assets/' in gzip.decompress(page.data)
