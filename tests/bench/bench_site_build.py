"""Time the site's build against stock Material: `python -m tests.bench bench_site_build`.

Ours with 10, 100 and 1,000 generated articles of a thousand words; stock Material with its blog
plugin with 1,000. The targets, each in parts of stock's time: a build with nothing changed 0.2, one
with one article changed 0.05, and the first build of all, with a card and compressed copies for
each page, 1. The preview has to show an edit within a second at 100 articles, and search to send
at most 120 kB before its first result at 1,000. Times are those of the processor, which other work
on the machine disturbs least, with those of the clock in brackets.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from lead_service.publishing.preview import Preview
from tests.bench import generated
from tests.support.built_site import ROOT

# MkDocs without any cache of other folders' builds.
PROGRAM = """import sys
from pathlib import Path
from lead_service.publishing import cache
cache.FOLDER = Path(sys.argv.pop(1))
from mkdocs.__main__ import cli
cli()"""
# With bytecode files, as on an editor's machine.
QUIET = {"NO_MKDOCS_2_WARNING": "1", "PYTHONDONTWRITEBYTECODE": ""}
ENVIRONMENT = os.environ | QUIET | {"PYTHONPATH": str(ROOT)}
STOCK = """site_name: Stock
theme: {name: material}
plugins: [search, blog]
"""
ROUNDS = 3
SEARCHED = "bo"  # the first letters of a query of two words: budget owner


class Taken(NamedTuple):
    """Seconds of a build: processor time, and elapsed time."""

    cpu: float
    clock: float

    def __str__(self) -> str:
        return f"{self.cpu:6.1f} s ({self.clock:.1f} s)"


def taken(config: Path) -> Taken:
    folder = config.parent
    before, began = os.times(), time.perf_counter()
    command = [sys.executable, "-c", PROGRAM, str(folder / "kept"), "build", "--quiet"]
    command += ["--config-file", str(config), "--site-dir", str(folder / "site")]
    subprocess.run(command, check=True, env=ENVIRONMENT, capture_output=True)
    after, clock = os.times(), time.perf_counter() - began
    spent = (
        after.children_user - before.children_user,
        after.children_system - before.children_system,
    )
    return Taken(sum(spent), clock)


def our_config(folder: Path, docs: Path) -> Path:
    """Write our configuration with other docs."""
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    text = re.sub(r"(custom_dir: |- )(site_overrides)", rf"\1{ROOT}/\2", text)
    config = folder / "mkdocs.yml"
    config.write_text(f"docs_dir: {docs}\n{text}", "utf-8")
    return config


def ours(folder: Path, count: int) -> Path:
    """Create the folders of a site; return its configuration."""
    folder.mkdir()
    return our_config(folder, generated.docs(folder / "docs", count))


def stock(folder: Path, count: int) -> Path:
    generated.articles(folder / "docs" / "blog" / "posts", count, "categories: [{step}]")
    (folder / "docs" / "index.md").write_text("# Stock\n", "utf-8")
    config = folder / "mkdocs.yml"
    config.write_text(STOCK, "utf-8")
    return config


def edited(config: Path) -> Taken:
    """Change the text of one article and build."""
    article = config.parent / "docs" / "insights" / "generated-7.md"
    article.write_text(article.read_text("utf-8") + "\nA sentence more.\n", "utf-8")
    return taken(config)


def preview(config: Path) -> float:
    """Return the elapsed seconds of a preview's build after one edit."""
    shown = Preview(config, config.parent / "preview")
    article = config.parent / "docs" / "insights" / "generated-7.md"
    seconds = []
    for _ in range(4):  # the first build takes longer
        article.write_text(article.read_text("utf-8") + "\nA sentence more.\n", "utf-8")
        began = time.perf_counter()
        assert shown.build() == []
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def searched(site: Path) -> int:
    """Return the bytes that a search for two words loads before its first result."""
    listed = json.loads((site / "search.json").read_text("utf-8"))
    files = [
        site / "search.json",
        *site.glob("assets/search.*.js"),
        *site.glob("assets/search.*.css"),
    ]
    folder = site / listed["folder"].strip("/")
    for letter in SEARCHED:
        names = [name for name in listed["files"].split() if name.startswith(letter)]
        files.append(
            max((folder / f"{name}.json" for name in names), key=lambda file: file.stat().st_size)
        )
    files.append(site / "insights" / "generated-7" / "index.html")
    small = (path.with_name(f"{path.name}.br") for path in files)
    return sum(path.stat().st_size for path in small)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        few, some, many = (ours(folder / str(count), count) for count in (10, 100, 1000))
        plain = stock(folder / "stock", 1000)
        of_stock = min(taken(plain) for _ in range(ROUNDS))
        print(f"stock  1000 articles {of_stock}")
        warm = {}
        for config in (few, some, many):
            count = config.parent.name
            first = taken(config)
            warm[config] = min(taken(config) for _ in range(ROUNDS))
            print(f"ours  {count:>5} articles {warm[config]}, the first time {first}")
        edit = min(edited(many) for _ in range(ROUNDS))
        for label, spent, target in (
            ("nothing changed", warm[many], 0.2), ("one article changed", edit, 0.05),
            ("the first build", first, 1),
        ):  # fmt: skip
            ratio, by_clock = spent.cpu / of_stock.cpu, spent.clock / of_stock.clock
            print(f"{label}: {ratio:.3f} of stock ({by_clock:.3f} by the clock), target {target}")
        print(f"an article more: {(warm[many].cpu - warm[some].cpu) * 1000 / 900:.1f} ms")
        print(f"one edit in a preview of 100 articles: {preview(some):.2f} s")
        print(f"search at 1,000 articles: {searched(many.parent / 'site') / 1000:.0f} kB")
