"""README, handbook and root files describe the project as it is."""

import re
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import click
import pytest
import yaml

from lead_service.ops.cli import commands
from tests.support.settings_table import PAGE, with_table

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "handbook").rglob("*.md"))]
OPERATIONS = (ROOT / "handbook" / "operations.md").read_text()
CODE = re.compile(r"^```\n(.*?)^```$|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
HELD_SECRETS = (".env", "var/secret_key", "deploy/backups/lead_service-1.backup", "copy.backup")


def code_in(page: Path) -> list[str]:
    """Return the commands of a page, one per line, with continued lines joined."""
    found = ("".join(groups) for groups in CODE.findall(page.read_text()))
    return [line.strip() for text in found for line in text.replace("\\\n", "").splitlines()]


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


def test_the_table_of_settings_is_the_settings_class():
    assert PAGE.read_text() == with_table(PAGE.read_text()), (
        "python -m tests.support.settings_table"
    )


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_contributing_names_files_that_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    named = re.findall(r"`([\w./-]+/[\w./-]*|[\w-]+\.py)`", text)
    places = (ROOT, ROOT / "lead_service", *(ROOT / "lead_service").glob("*/"))
    missing = [one for one in named if not any((place / one).exists() for place in places)]
    assert len(named) > 20 and not missing


def test_every_security_claim_names_tests():
    """Each row needs a test; unmet requirements are in a separate table."""
    met = (ROOT / "SECURITY.md").read_text().split("### ")[1]
    rows = [line for line in met.splitlines() if re.match(r"\| \d", line)]
    assert len(rows) > 20
    assert all("`test_" in row for row in rows)


def test_every_test_and_benchmark_that_a_page_names_exists():
    """Pages name the tests of their claims, most of them in comments."""
    files = list((ROOT / "tests").rglob("*.py"))
    sources = "\n".join(path.read_text() for path in files)
    known = {path.stem for path in files} | set(re.findall(r"^def (test_\w+)", sources, re.M))
    for page in PAGES:
        named = set(re.findall(r"\b(?:test|bench)_\w+", page.read_text()))
        assert named <= known, (page.name, named - known)


def test_every_cache_has_its_line():
    table = (ROOT / "handbook" / "decisions" / "caches.md").read_text()
    named = {name.rpartition("/")[2] for name in re.findall(r"`([\w/]+)`", table)}
    kept = r"^@(lru_)?cache\b|= lru_cache\(|^_\w+: .+ = (\{\}|WeakKeyDictionary\(\))"
    is_cache = re.compile(kept, re.MULTILINE)
    sources = (ROOT / "lead_service").rglob("*.py")
    cached = {path.stem for path in sources if is_cache.search(path.read_text())}
    assert len(cached) > 10 and cached <= named


def test_the_handbook_is_never_published():
    text = (ROOT / "mkdocs.yml").read_text()
    assert "docs_dir" not in text  # so it is docs/
    assert "handbook" not in text + (ROOT / "deploy" / "Containerfile").read_text()
    assert "handbook" not in (ROOT / ".dockerignore").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    text = re.sub(r"`[^`\n]*`", "", page.read_text())
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_exists(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for line in code_in(page):
        for target in re.findall(r"^make ([a-z-]+)", line):
            assert target in targets, line
        if found := re.match(r"(?:\S*/)?(?:lead-service|advisory) (?=[a-z-])(.*)", line):
            assert_can_be_called(found[1].split(" #")[0].split())


def assert_can_be_called(words: list[str]) -> None:
    """Check that the command exists with each option."""
    command: click.Command = commands
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        assert words[0] in command.commands, words
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    assert {word for word in words if word.startswith("--")} <= known, words


def test_every_file_of_ours_that_the_handbook_names_exists():
    named = re.findall(r"(?:/srv/advisory/|[\s`])(deploy/[\w./-]+\w)", OPERATIONS)
    assert named
    for path in named:
        is_given_by_operators = ignored(path) or ignored(f"{path}/file")
        assert (ROOT / path).exists() or is_given_by_operators, path


def test_every_metric_that_the_handbook_names_exists():
    source = "".join(path.read_text() for path in (ROOT / "lead_service").rglob("*.py"))
    for name in re.findall(r"lead_service_([a-z_]+?)(?:_total)?\b(?=[ ){=])", OPERATIONS):
        assert f'{name}"' in source, name


def ignored(path: str) -> bool:
    return subprocess.run(["git", "check-ignore", "-q", path], cwd=ROOT).returncode == 0


def places_of_secrets() -> list[str]:
    """List the operator's files beside compose.yaml, and other secrets in the handbook."""
    services = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"].values()
    files = {f"deploy/{one['env_file']}" for one in services if "env_file" in one}
    mounts = {volume.split(":")[0] for one in services for volume in one.get("volumes", ())}
    mounts -= {"./roles.sql"}  # shipped
    return [
        *sorted(files),
        *sorted(f"deploy/{mount[2:]}/file" for mount in mounts if mount.startswith("./")),
        *HELD_SECRETS,
    ]


@pytest.mark.skipif(
    shutil.which("git") is None or not (ROOT / ".git").exists(), reason="not a git checkout"
)
@pytest.mark.parametrize("path", places_of_secrets())
def test_git_ignores_every_place_of_secrets(path):
    assert ignored(path)
    assert not ignored("deploy/settings.env.example")


def test_the_notice_names_every_dependency_that_asks_for_one():
    notice = (ROOT / "NOTICE").read_text()
    sets = "".join(path.read_text() for path in ROOT.glob("requirements*.txt"))
    for name in set(re.findall(r"^([\w.-]+)==", sets, re.MULTILINE)):
        try:
            about = metadata(name)
        except PackageNotFoundError:  # for another platform
            continue
        license_text = f"{about['License-Expression']} {about['License']}"[:200]
        license_text += " ".join(about.get_all("Classifier") or ())
        if re.search(r"GPL|General Public|MPL|Mozilla Public", license_text):
            assert re.search(rf"\b{re.escape(name)}\b", notice), name


def test_the_checks_before_a_commit_are_make_lint_and_nothing_remote():
    repos = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repo["repo"] for repo in repos] == ["local"]
    hooks = [hook for repo in repos for hook in repo["hooks"]]
    assert [(hook["entry"], hook["language"]) for hook in hooks] == [("make lint", "system")]
