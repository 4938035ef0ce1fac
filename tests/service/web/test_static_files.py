"""The service's own styles and scripts: kept for a year, and never a stale one."""

import shutil

import pytest

from lead_service import create_app
from lead_service.settings import load
from lead_service.web import static_files


def test_each_is_served_for_a_year_at_the_address_that_its_content_decides(client):
    for path in sorted(static_files.STATIC.iterdir()):
        answer = client.get(static_files.address(path.name))
        assert answer.data == path.read_bytes(), path
        assert answer.headers["Cache-Control"] == "max-age=31536000, public, immutable"


def test_the_name_alone_is_no_address(client):
    assert client.get("/static/service.css").status_code == 404


def test_a_changed_file_has_another_address(tmp_path, monkeypatch):
    monkeypatch.setattr(static_files, "STATIC", tmp_path)
    addresses = []
    for content in ("a", "b"):
        (tmp_path / "service.css").write_text(content)
        static_files.address.cache_clear()
        addresses.append(static_files.address("service.css"))
    static_files.address.cache_clear()
    assert addresses[0] != addresses[1]


@pytest.mark.parametrize("name", ["report-20261124.pdf", "call.20261124.txt", "a.deadbeef.html"])
def test_a_name_that_only_looks_like_a_hash_is_not_kept_for_a_year(environment, tmp_path, name):
    site = tmp_path / "site"
    shutil.copytree(environment["SITE_DIR"], site)
    (site / name).write_text("one of many versions")
    app = create_app(load(environment | {"SITE_DIR": str(site)}))
    assert "max-age=300" in app.test_client().get(f"/{name}").headers["Cache-Control"]
