"""Measure how soon a slow phone shows a page: `python -m tests.bench bench_paint`.

Lighthouse loads the front page and an article from our own server, compressed, through the
installed Chromium, and beside them a page of nothing but the article's words. The targets are
1.3 of the bare page's largest paint, no shift, no blocking and all four scores at 100.

Lighthouse is a program of its own, which this repository does not hold: it is taken from the PATH,
or from where the environment's LIGHTHOUSE says.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from tests.conftest import QUIET
from tests.site.built import ROOT

ARTICLE = "/insights/why-most-ai-pilots-never-scale/"
BARE = "/bare/"
ROUNDS = 3
PATIENCE = 60  # seconds
MISSING = "NOT MEASURED: {} is missing. Lighthouse is looked for on the PATH and in LIGHTHOUSE."


@dataclass(frozen=True, order=True)
class Paint:
    """What Lighthouse saw of one page: milliseconds, the shift as a share of the window."""

    largest: float
    blocking: float
    shift: float
    scores: tuple[int, ...]

    def __str__(self) -> str:
        scores = " ".join(map(str, self.scores))
        return (
            f"largest paint {self.largest:5.0f} ms, blocking {self.blocking:.0f} ms, "
            f"shift {self.shift:.3f}, scores {scores}"
        )


def site_with_a_bare_page(folder: Path, address: str) -> Path:
    """Build the site for an address, and add to it an article's words with no design at all."""
    site = folder / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", site]
    environment = os.environ | {"PUBLIC_URL": f"{address}/", "NO_MKDOCS_2_WARNING": "1"}
    subprocess.run(command, check=True, cwd=ROOT, env=environment)
    article = (site / ARTICLE.strip("/") / "index.html").read_text("utf-8")
    words = article.split('<div class="prose">')[1].split("</div>")[0]
    page = site / BARE.strip("/") / "index.html"
    page.parent.mkdir()
    page.write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Bare</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<h1>Bare</h1>{words}",
        "utf-8",
    )
    subprocess.run(["gzip", "--keep", page], check=True)
    return site


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Run the product on a free port, on a site built for it; yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    settings = {
        "PORT": str(port),
        "PUBLIC_URL": f"{address}/",
        "SITE_DIR": str(site_with_a_bare_page(folder, address)),
        "VAR_DIR": str(folder / "var"),
    }
    command = [sys.executable, "-m", "lead_service", "serve"]
    server = subprocess.Popen(command, env=os.environ | settings, stdout=subprocess.DEVNULL)
    try:
        wait_for(f"{address}/readyz")
        yield address
    finally:
        server.terminate()
        server.wait()


def wait_for(url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            urlopen(url).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{url} never answered")


def look(lighthouse: str, chromium: str, url: str) -> Paint:
    """Load a page as Lighthouse's slow phone does by default."""
    command = [
        lighthouse,
        url,
        "--quiet",
        "--output=json",
        f"--chrome-flags={' '.join(('--headless', *QUIET))}",
    ]
    done = subprocess.run(
        command, env=os.environ | {"CHROME_PATH": chromium}, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"Lighthouse failed on {url}:\n{done.stderr}")
    return paint(json.loads(done.stdout))


def paint(report: dict) -> Paint:
    """Read a report, and print every audit that cost a page a point."""
    audits = report["audits"]
    scores = []
    for category in report["categories"].values():
        scores.append(round(100 * (category["score"] or 0)))
        if scores[-1] < 100:
            weighty = (audits[one["id"]] for one in category["auditRefs"] if one["weight"])
            lost = [one["title"] for one in weighty if (one["score"] or 0) < 1]
            print(f"  {report['finalDisplayedUrl']}: {category['title']}: {', '.join(lost)}")
    value = {name: audits[name]["numericValue"] for name in AUDITS}
    return Paint(*value.values(), tuple(scores))


AUDITS = ("largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift")


def main() -> None:
    lighthouse = os.environ.get("LIGHTHOUSE") or shutil.which("lighthouse")
    chromium = shutil.which("chromium")
    for name, program in (("Lighthouse", lighthouse), ("Chromium", chromium)):
        if program is None:
            print(MISSING.format(name))
            return
    with tempfile.TemporaryDirectory() as name, served(Path(name)) as address:
        seen = {path: [] for path in (BARE, "/", ARTICLE)}
        for _ in range(ROUNDS):
            for path, paints in seen.items():
                paints.append(look(lighthouse, chromium, address + path))
    bare, *ours = (min(paints) for paints in seen.values())
    print(f"{BARE:<45} {bare}")
    for path, best in zip(("/", ARTICLE), ours, strict=True):
        print(f"{path:<45} {best}, {best.largest / bare.largest:.2f} of the bare page")


if __name__ == "__main__":
    main()
