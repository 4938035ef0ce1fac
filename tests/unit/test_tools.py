"""Tests without their tool are skipped and reported; in CI they fail the run."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support import tools

ROOT = Path(__file__).parents[2]
TESTS = ("tests/browser/test_keyboard.py", "tests/unit/test_formats.py")
BY_MAKE = ("CI", "MAKELEVEL")


def run(folder: Path, *options: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a few tests on a machine without the programs."""
    environment = os.environ | {"PATH": str(folder), "CHROMIUM": "/nowhere/chromium", **more}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *options],
        cwd=ROOT,
        env={
            name: environment[name] for name in environment if name not in BY_MAKE or name in more
        },
        capture_output=True,
        text=True,
    )


@pytest.mark.long
@pytest.mark.parametrize("workers", ["0", "1"])
def test_tests_without_their_tool_are_skipped_and_reported_at_start_and_end(tmp_path, workers):
    done = run(tmp_path, "-n", workers, *TESTS)
    assert done.returncode == 0, done.stdout
    first, *_, last = [line for line in done.stdout.splitlines() if line.startswith("Not run: ")]
    assert "browser tests (no Chromium" in first
    assert re.match(r"Not run: \d+ browser tests \(no Chromium\)\. Install", last)
    assert " passed" in done.stdout and " error" not in done.stdout


@pytest.mark.long
def test_a_run_of_only_skipped_tests_is_not_a_failure(tmp_path):
    assert run(tmp_path, "-n", "0", TESTS[0]).returncode == 0


@pytest.mark.long
def test_in_ci_a_missing_tool_ends_the_run_at_once(tmp_path):
    done = run(tmp_path, "-n", "0", *TESTS, CI="true")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert done.stderr.count("CI is set, and the tests need") == 1
    assert " passed" not in done.stdout


def test_a_missing_tool_is_named_with_its_purpose_and_is_an_error_in_ci(monkeypatch):
    monkeypatch.setattr(tools, "missing", lambda: (tools.CHROMIUM,))
    assert tools.lacking(["browser", "tmp_path"]) == ("browser", "no Chromium")
    assert tools.lacking(["limits_store"]) is None
    assert tools.not_run().startswith("Not run: browser tests (no Chromium). Install")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.UsageError, match="CI is set, and the tests need Chromium"):
        tools.Plugin().pytest_sessionstart(SimpleNamespace(config=None))
