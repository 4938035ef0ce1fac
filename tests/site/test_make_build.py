"""`make build`: the site is built again when something of it has changed, and only then."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path) -> Path:
    """Lay out a checkout whose MkDocs only counts how often it is asked."""
    for name in ("docs/index.md", "site_overrides/main.html", "mkdocs.yml", "pyproject.toml"):
        _file(tmp_path / name)
    for name in ("assess/framework.py", "templates/signature.html"):
        _file(tmp_path / "lead_service" / name)
    for name in ("requirements-dev.txt", ".venv/ready"):
        _file(tmp_path / name)
    shutil.copy(ROOT / "Makefile", tmp_path)
    mkdocs = tmp_path / ".venv/bin/mkdocs"
    _file(mkdocs, "#!/bin/sh\nmkdir -p site && echo built >>builds\n")
    mkdocs.chmod(0o755)
    return tmp_path


def _file(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def builds(checkout: Path, **given: str) -> int:
    """Build, and return how often the site has been built."""
    environment = {"PATH": os.environ["PATH"], **given}
    subprocess.run(
        ["make", "build"], cwd=checkout, env=environment, check=True, capture_output=True
    )
    return len((checkout / "builds").read_text().splitlines())


def test_the_site_is_built_again_for_another_setting_and_only_then(checkout):
    assert builds(checkout) == 1
    assert builds(checkout) == 1
    assert builds(checkout, PUBLIC_URL="https://advisory.example") == 2
    assert builds(checkout, PUBLIC_URL="https://advisory.example") == 2
    address = "1 Example Street\n$HOME 'Example' City"
    assert builds(checkout, PRACTICE_POSTAL_ADDRESS=address) == 3
    assert builds(checkout, PRACTICE_POSTAL_ADDRESS=address) == 3
    assert builds(checkout) == 4


def test_every_setting_that_the_site_bakes_in_is_watched():
    baked = set(re.findall(r"!ENV \[(\w+)", (ROOT / "mkdocs.yml").read_text()))
    watched = re.search(r"^SITE_SETTINGS := ((?:.*\\\n)*.*)", (ROOT / "Makefile").read_text(), re.M)
    assert baked
    assert set(watched[1].replace("\\", "").split()) == baked
