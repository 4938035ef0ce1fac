"""Make builds the site each time, and two makes take turns."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
INTO = 'for into; do :; done; mkdir -p "$into"'  # the last of MkDocs' arguments


@pytest.fixture
def checkout(tmp_path) -> Path:
    """Create a checkout whose MkDocs only counts its calls."""
    for name in ("docs/index.md", "site_overrides/main.html", "mkdocs.yml", "pyproject.toml"):
        _file(tmp_path / name)
    for name in ("action_framework/types.py", "templates/signature.html"):
        _file(tmp_path / "lead_service" / name)
    for name in ("requirements-site.txt", ".venv/ready"):
        _file(tmp_path / name)
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    _program(tmp_path / ".venv/bin/mkdocs", f"{INTO} && echo built >>builds")
    return tmp_path


def _file(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _program(path: Path, text: str) -> None:
    _file(path, text if text.startswith("#!") else f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def _make(checkout: Path, target: str, **given: str) -> subprocess.CompletedProcess:
    return _run(["make", target], checkout, **given)


def _run(command: list[str], folder: Path, **given: str) -> subprocess.CompletedProcess:
    environment = {"PATH": os.environ["PATH"], **given}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def builds(checkout: Path, **given: str) -> int:
    """Run make, and return the number of builds so far."""
    assert _make(checkout, "build", **given).returncode == 0
    return len((checkout / "builds").read_text().splitlines())


def test_the_site_is_built_whatever_happened_to_its_sources(checkout):
    assert builds(checkout) == 1
    page = checkout / "docs/My: page.md"
    _file(page)
    os.utime(page, (0, 0))
    assert builds(checkout) == 2
    page.unlink()
    assert builds(checkout, PORT="8000") == 3
    assert (checkout / "site/.built").exists()


def test_a_server_on_another_port_has_a_site_of_its_own(checkout):
    builds(checkout, PORT="8001")
    assert (checkout / "var/sites/8001/.built").exists() and not (checkout / "site").exists()


def test_two_makes_in_one_folder_take_turns(checkout):
    _program(checkout / ".venv/bin/mkdocs", f"{INTO}; [ ! -e busy ] || exit 9; touch busy")
    slow = checkout / "slow"
    _program(slow, "touch busy; while [ ! -e told ]; do sleep 0.05; done; rm busy")
    alone = [sys.executable, ".ci/alone"]
    with subprocess.Popen([*alone, "./slow"], cwd=checkout) as first:
        assert eventually((checkout / "busy").exists)
        environment = {"PATH": os.environ["PATH"]}
        with subprocess.Popen(
            ["make", "build"], cwd=checkout, env=environment, stdout=subprocess.PIPE, text=True
        ) as second:
            assert second.stdout
            assert "Waiting for the other make" in second.stdout.readline()
            (checkout / "told").touch()
            assert "Building the site" in second.stdout.read()
        assert (first.wait(), second.returncode) == (0, 0)


def test_an_environment_that_was_left_half_made_is_made_again(checkout):
    python = checkout / "python"  # records its arguments, and creates an empty venv
    _program(
        python,
        """case $1 in .ci/alone) shift; exec "$@";; esac
        echo "$@" >>asked
        case $* in
            *-m?venv*) rm -rf .venv && mkdir -p .venv/bin && cp python .venv/bin;;
            *install*) [ ! -e broken ];;
        esac""",
    )
    for name in ("site", "test"):
        _file(checkout / f"requirements-{name}.txt", "one==1 \\\n")
    (checkout / "broken").touch()
    (checkout / ".venv/ready").unlink()
    failed = _make(checkout, "setup", PYTHON=str(python))
    assert failed.returncode != 0
    assert "run the same command again" in failed.stderr
    (checkout / "broken").unlink()
    (checkout / "asked").unlink()
    assert _make(checkout, "setup", PYTHON=str(python)).returncode == 0
    assert "-m venv --clear .venv" in (checkout / "asked").read_text()


def test_an_old_python_is_refused_in_one_line(checkout):
    python = checkout / "python"
    _program(python, 'case $* in *version_info*) exit 1;; *.ci/alone*) shift; exec "$@";; esac')
    (checkout / ".venv/ready").unlink()
    refused = _make(checkout, "setup", PYTHON=str(python))
    assert refused.returncode != 0
    assert "is older than 3.11" in refused.stderr


def test_missing_tools_are_listed_once_and_fail_only_in_ci(tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "cut", "tr", "sed", "paste", "uname"):
        (programs / name).symlink_to(shutil.which(name))
    _program(programs / "id", "echo 1000")
    text = (ROOT / ".ci/tools").read_text().replace("PATH=$PATH:/usr/sbin:/sbin", "")
    _program(script := tmp_path / "tools", text)
    told = _run([str(script)], tmp_path, PATH=str(programs))
    assert told.returncode == 0
    assert "Chromium (tests in a browser)" in told.stdout
    assert "nginx with brotli (tests of the deployment)" in told.stdout
    assert "PostgreSQL" not in told.stdout
    assert _run([str(script)], tmp_path, PATH=str(programs), CI="true").returncode == 1
