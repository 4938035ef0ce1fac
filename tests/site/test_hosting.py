"""The rules for serving the site: written for static hosts, and followed by the service."""

import json
import re

import pytest
from flask import Flask

from lead_service import headers
from lead_service.publishing.server_config import hash_source
from lead_service.settings import Settings
from lead_service.web import static_files
from tests.support.built_site import build_site, host_rules, small_docs


def policy(site) -> dict[str, list[str]]:
    text = host_rules(site)["/*"]["Content-Security-Policy"]
    parts = (part.split() for part in text.split("; "))
    return {name: sources for name, *sources in parts}


def served(site):
    """The service's static files in front of an application without pages."""
    app = Flask(__name__)
    static_files.install(app, Settings(site_dir=site))
    return app.test_client()


def test_the_policy_allows_only_the_inline_blocks_of_the_build(site, pages):
    allowed = policy(site)
    assert not [source for sources in allowed.values() for source in sources if "unsafe" in source]
    for page in pages:
        blocks = re.findall(r"<(script|style)(?: data-[^>]*)?>(.*?)</\1>", page.source, re.DOTALL)
        for tag, content in blocks:
            assert hash_source(content) in allowed[f"{tag}-src"], page.url
        assert bool(blocks) == (page.url != "/200.html")


def test_the_policy_is_otherwise_the_services_own(site):
    own = dict(part.split(" ", 1) for part in headers.CONTENT_SECURITY_POLICY.split("; "))
    for directive, sources in policy(site).items():
        kept = [source for source in sources if not source.startswith("'sha256-")]
        assert " ".join(kept) == own[directive]


def test_the_service_serves_pages_by_the_rules_for_static_hosts(site, pages):
    client = served(site)
    rules = host_rules(site)["/*"]
    for page in pages:
        if page.url in {"/200.html", "/404.html", "/503.html"}:
            continue
        answer = client.get(page.url)
        assert answer.status_code == 200
        assert {name: answer.headers.get(name) for name in rules} == rules, page.url


def test_the_service_caches_hashed_assets_for_a_year_with_the_right_types(site):
    client = served(site)
    rules = host_rules(site)
    for path in site.glob("assets/*.woff2"):
        answer = client.get(f"/assets/{path.name}")
        assert answer.headers["Cache-Control"] == rules["/assets/*"]["Cache-Control"]
    for name in headers.TYPES:
        assert client.get(f"/{name}").content_type == rules[f"/{name}"]["Content-Type"]


@pytest.mark.parametrize("name", headers.UNSERVED)
def test_files_for_servers_are_not_served(site, name):
    assert (site / name).exists()
    assert served(site).get(f"/{name}").status_code == 404


def test_only_static_pages_are_fetched_ahead(site):
    rules = json.loads((site / "speculation.json").read_text("utf-8"))["prefetch"]
    [rule] = rules
    assert rule["eagerness"] == "moderate"
    left_out = rule["where"]["and"][1]["not"]["href_matches"]
    assert {"/assessment/*", "/book/*", "/contact/*", "/desk/*"} <= set(left_out)


def test_an_address_without_its_slash_redirects_permanently(site):
    answer = served(site).get("/insights")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/insights/")
    assert "Content-Security-Policy" in answer.headers


def test_an_old_address_leads_on_everywhere(tmp_path):
    docs = small_docs(tmp_path, redirect_from="[/blog/old-name/, /2019/piece, /a.html]")
    site = build_site(tmp_path / "site", docs)
    for old in ("/blog/old-name/", "/2019/piece/", "/a.html"):
        assert f"{old} /insights/new/ 301\n" in (site / "_redirects").read_text("utf-8")
        file = f"{old}index.html" if old.endswith("/") else old
        page = (site / file.lstrip("/")).read_text("utf-8")
        assert '<meta http-equiv="refresh" content="0; url=/insights/new/">' in page
        assert '<link rel="canonical" href="http://127.0.0.1:8000/insights/new/">' in page
        for address in (old, old.rstrip("/")):
            answer = served(site).get(address)
            assert (answer.status_code, answer.headers["Location"]) == (301, "/insights/new/")
    assert "old-name" not in (site / "sitemap.xml").read_text("utf-8")
