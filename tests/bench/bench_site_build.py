"""Time the site's build against stock Material: `python -m tests.bench bench_site_build`.

Ours with 10, 100 and 1,000 generated articles; stock Material with its blog plugin with 1,000. The
targets are 0.3 of stock's time, about twice the time for twice the articles, and two seconds from
saving an article to seeing it under `mkdocs serve` at 100. What we keep from build to build, cards
and compressed copies, is there already; the first build of all says what it takes without them.
Times are those of the processor, which other work on the machine disturbs least, with those of the
clock in brackets.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

from tests.bench import generated
from tests.support.built_site import ROOT

MKDOCS = [sys.executable, "-m", "mkdocs"]
ENVIRONMENT = os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
STOCK = """site_name: Stock
theme: {name: material}
plugins: [search, blog]
"""


class Taken(NamedTuple):
    """Seconds that a build took: of the processor, and by the clock."""

    cpu: float
    clock: float

    def __str__(self) -> str:
        return f"{self.cpu:6.1f} s ({self.clock:.1f} s)"


def taken(config: Path, site: Path) -> Taken:
    before, began = os.times(), time.perf_counter()
    command = [*MKDOCS, "build", "--quiet", "--config-file", str(config), "--site-dir", str(site)]
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
    config.write_text(f"docs_dir: {docs}\n{text.partition('watch:')[0]}", "utf-8")
    return config


def ours(folder: Path, count: int) -> Path:
    """Make a site of ours and build it once, which keeps its cards; return its configuration."""
    folder.mkdir()
    config = our_config(folder, generated.docs(folder / "docs", count))
    print(f"ours {count:>5} articles {taken(config, folder / 'site')}, the first time here")
    return config


def stock(folder: Path, count: int) -> Path:
    generated.articles(folder / "docs" / "blog" / "posts", count, "categories: [{step}]")
    (folder / "docs" / "index.md").write_text("# Stock\n", "utf-8")
    config = folder / "mkdocs.yml"
    config.write_text(STOCK, "utf-8")
    return config


def in_turn(configs: dict[str, Path], rounds: int = 3) -> dict[str, Taken]:
    """Build all of them in turn, several times; return the least that each took."""
    all_taken: dict[str, list[Taken]] = {name: [] for name in configs}
    for _ in range(rounds):
        for name, config in configs.items():
            all_taken[name].append(taken(config, config.parent / "site"))
    return {name: min(every) for name, every in all_taken.items()}


@contextmanager
def preview(config: Path, port: int):
    command = [*MKDOCS, "serve", "--quiet", "-f", str(config), "-a", f"127.0.0.1:{port}"]
    server = subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}/insights/generated-7/"
    finally:
        server.terminate()
        server.wait()


def until_seen(url: str, text: str, patience: float = 60) -> float:
    """Return the seconds until the page holds a text."""
    began = time.perf_counter()
    while time.perf_counter() - began < patience:
        try:
            if text in urlopen(url).read().decode():
                return time.perf_counter() - began
        except OSError:
            pass
        time.sleep(0.02)
    raise SystemExit(f"{url} never showed {text!r}")


def edit(folder: Path, count: int) -> float:
    """Return the seconds from saving one article of `count` to seeing it in a preview."""
    config = our_config(folder, folder / "docs")
    with preview(config, 8917) as url:
        until_seen(url, "Generated article 7")
        article = folder / "docs" / "insights" / "generated-7.md"
        article.write_text(article.read_text("utf-8") + "\nA sentence more.\n", "utf-8")
        return until_seen(url, "A sentence more.")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        counts = (10, 100, 1000)
        configs = {f"ours {count:>5}": ours(folder / str(count), count) for count in counts}
        found = in_turn({**configs, "stock 1000": stock(folder / "stock", 1000)})
        for label, spent in found.items():
            print(f"{label} articles {spent}")
        few, some, many, plain = found.values()
        by_cpu, by_clock = (mine / its for mine, its in zip(many, plain, strict=True))
        print(f"ours is {by_cpu:.2f} of stock ({by_clock:.2f} by the clock)")
        print(f"an article more: {(some.cpu - few.cpu) * 1000 / 90:.1f} ms from 10 to 100, "
              f"{(many.cpu - some.cpu) * 1000 / 900:.1f} ms from 100 to 1000")  # fmt: skip
        print(f"one edit under `mkdocs serve` at 100 articles: {edit(folder / '100', 100):.2f} s")


if __name__ == "__main__":
    main()
