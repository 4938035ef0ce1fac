"""Find the day of each file's last change in the Git history."""

import subprocess
from datetime import date
from pathlib import Path


def last_changes(root: Path, folder: str) -> dict[str, date]:
    """Return the day of the last commit of each file under `folder`, by path from `root`.

    Empty without Git, and in a shallow clone, which has only the last commit
    and would give every file its day.
    """
    if _git(root, "rev-parse", "--is-shallow-repository").strip() != "false":
        return {}
    changes: dict[str, date] = {}
    day = date.min
    for line in _git(root, "log", "--format=%x00%cs", "--name-only", "--", folder).splitlines():
        if line.startswith("\0"):
            day = date.fromisoformat(line[1:])
        elif line:
            changes.setdefault(line, day)  # the log starts with the newest commit
    return changes


def _git(root: Path, *command: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-c", "core.quotePath=false", *command],
            cwd=root,
            capture_output=True,
            text=True,
        )
    except OSError:
        return ""
    return done.stdout if done.returncode == 0 else ""
