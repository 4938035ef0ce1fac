"""MkDocs' maintained fork builds the same site, byte for byte."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.built_site import ROOT


def built(program: str, into: Path) -> dict[str, bytes]:
    """Build the site with a command, and return its files."""
    command = [sys.executable, "-m", program, "build", "--strict", "--quiet", "-f", "mkdocs.yml"]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    subprocess.run([*command, "--site-dir", str(into)], cwd=ROOT, env=environment, check=True)
    files = (path for path in into.rglob("*") if path.is_file())
    return {path.relative_to(into).as_posix(): path.read_bytes() for path in files}


@pytest.mark.long
def test_properdocs_builds_the_same_site(tmp_path):
    ours, other = (built(name, tmp_path / name) for name in ("mkdocs", "properdocs"))
    assert ours.keys() == other.keys() and len(ours) > 100
    assert [name for name in ours if ours[name] != other[name]] == []
