"""Build the real site like `make build`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lead_service.settings import OF_THE_SITE

ROOT = Path(__file__).resolve().parents[2]


def build(into: Path) -> None:
    """Build it with the defaults, strictly, into a new folder."""
    unset = {name.upper() for name in OF_THE_SITE}
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", into],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in unset}
        | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.fail(f"the site does not build:\n{done.stdout}{done.stderr}", pytrace=False)
