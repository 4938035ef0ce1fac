"""Time the site's build against stock Material: `python -m tests.bench bench_site_build`.

Ours with 10, 100 and 1,000 generated articles, cards drawn before; stock Material with its blog
plugin with 1,000. The targets are 0.3 of stock's time, about twice the time for twice the
articles, and two seconds from saving an article to seeing it under `mkdocs serve` at 100.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from tests.bench import generated
from tests.site.built import ROOT

MKDOCS = [sys.executable, "-m", "mkdocs"]
ENVIRONMENT = os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
STOCK = """site_name: Stock
theme: {name: material}
plugins: [search, blog]
"""


def seconds(config: Path, site: Path) -> float:
    began = time.perf_counter()
    command = [*MKDOCS, "build", "--quiet", "--config-file", str(config), "--site-dir", str(site)]
    subprocess.run(command, check=True, env=ENVIRONMENT, capture_output=True)
    return time.perf_counter() - began


def our_config(folder: Path, docs: Path) -> Path:
    """Write our configuration with other docs."""
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    text = re.sub(r"(custom_dir: |- )(site_overrides)", rf"\1{ROOT}/\2", text)
    config = folder / "mkdocs.yml"
    config.write_text(f"docs_dir: {docs}\n{text.partition('watch:')[0]}", "utf-8")
    return config


def ours(folder: Path, count: int) -> float:
    folder.mkdir()
    config = our_config(folder, generated.docs(folder / "docs", count))
    seconds(config, folder / "site")  # draws the cards
    return seconds(config, folder / "site")


def stock(folder: Path, count: int) -> float:
    posts = folder / "docs" / "blog" / "posts"
    generated.articles(posts, count, "categories: [{step}]")
    (folder / "docs" / "index.md").write_text("# Stock\n", "utf-8")
    (folder / "mkdocs.yml").write_text(STOCK, "utf-8")
    return seconds(folder / "mkdocs.yml", folder / "site")


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
        taken = {count: ours(folder / str(count), count) for count in (10, 100, 1000)}
        for count, time_taken in taken.items():
            print(f"ours, {count:>5} articles {time_taken:6.1f} s")
        an_article = (taken[1000] - taken[100]) / 900
        print(f"each article more: {an_article * 1000:.1f} ms (10 to 100: "
              f"{(taken[100] - taken[10]) / 90 * 1000:.1f} ms)")  # fmt: skip
        print(f"one edit under `mkdocs serve` at 100 articles: {edit(folder / '100', 100):.2f} s")
        (folder / "stock").mkdir()
        of_stock = stock(folder / "stock", 1000)
        print(f"stock, 1000 articles {of_stock:6.1f} s, ours {taken[1000] / of_stock:.2f} of it")


if __name__ == "__main__":
    main()
