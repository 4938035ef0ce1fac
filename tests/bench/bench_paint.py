"""Measure how soon a slow phone shows a page: `python -m tests.bench bench_paint`.

Lighthouse loads a page of each type from our own server through the installed Chromium, and beside
them a page of nothing but an article's words. The targets are 1.15 of the bare page's largest
paint, no shift, no blocking, and all four scores at 100. Pages behind a token are left out: they
are not to be indexed, which costs them points. Two things cost a round trip more than the bare
page: the service's styles, which its policy keeps out of its pages, and an article's second font,
which HTTP/2 spares where a proxy speaks it.

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

from tests.support.built_site import ROOT
from tests.support.tools import QUIET, chromium

ARTICLE = "/insights/why-most-ai-pilots-never-scale/"
BARE = "/bare/"
PAGES = (
    *("/", ARTICLE, "/insights/", "/framework/", "/framework/assess/", "/services/", "/about/"),
    *("/discovery-call/", "/questions/", "/privacy/", "/contact/"),
    *("/assessment/", "/assessment/example/", "/book/"),
)
ROUNDS = 3
AUDITS = (
    *("largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift"),
    "total-byte-weight",
)
PATIENCE = 60  # seconds
MISSING = "NOT MEASURED: Lighthouse is missing. It is looked for on the PATH and in LIGHTHOUSE."


@dataclass(frozen=True)
class Paint:
    """What Lighthouse saw of one page: milliseconds, bytes, the shift as a share of the window.

    `lost` names the audits that cost it a point.
    """

    largest: float
    blocking: float
    shift: float
    sent: float
    scores: tuple[int, ...]
    lost: tuple[str, ...]

    def __str__(self) -> str:
        scores = " ".join(map(str, self.scores))
        return (
            f"largest paint {self.largest:5.0f} ms, blocking {self.blocking:.0f} ms, "
            f"shift {self.shift:.3f}, {self.sent / 1000:.1f} kB, scores {scores}"
        )


def least_disturbed(paints: list[Paint]) -> Paint:
    """Return the best value of each measurement of a page: other work only increases them."""
    scores = tuple(map(max, zip(*(one.scores for one in paints), strict=True)))
    return Paint(
        min(one.largest for one in paints),
        min(one.blocking for one in paints),
        min(one.shift for one in paints),
        min(one.sent for one in paints),
        scores,
        min((one.lost for one in paints), key=len) if set(scores) != {100} else (),
    )


def site_with_a_bare_page(folder: Path, address: str) -> Path:
    """Build the site for an address, and add an article's text as a page without any design."""
    site = folder / "site"
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--quiet",
        "--site-dir",
        str(site),
    ]
    environment = os.environ | {"PUBLIC_URL": f"{address}/", "NO_MKDOCS_2_WARNING": "1"}
    subprocess.run(command, check=True, cwd=ROOT, env=environment)
    article = (site / ARTICLE.strip("/") / "index.html").read_text("utf-8")
    words = article.split('<div class="prose">')[1].split("</div>")[0]
    page = site / BARE.strip("/") / "index.html"
    page.parent.mkdir()
    page.write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Bare</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="description" content="The words of an article, and no more.">'
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
        "LOG_LEVEL": "ERROR",
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


def look(lighthouse: str, url: str) -> Paint:
    """Load a page with Lighthouse's default of a slow phone."""
    command = [
        lighthouse,
        url,
        "--quiet",
        "--output=json",
        f"--chrome-flags={' '.join(('--headless', *QUIET))}",
    ]
    environment = os.environ | {"CHROME_PATH": chromium() or ""}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"Lighthouse failed on {url}:\n{done.stderr}")
    return paint(json.loads(done.stdout))


def paint(report: dict) -> Paint:
    """Read a report of Lighthouse."""
    audits, categories = report["audits"], report["categories"].values()
    scores = tuple(round(100 * (category["score"] or 0)) for category in categories)
    weighty = [
        audit["id"] for category in categories for audit in category["auditRefs"] if audit["weight"]
    ]
    lost = tuple(audits[id]["title"] for id in weighty if (audits[id]["score"] or 0) < 0.9)
    largest, blocking, shift, sent = (audits[name]["numericValue"] for name in AUDITS)
    return Paint(largest, blocking, shift, sent, scores, lost)


def main() -> None:
    lighthouse = os.environ.get("LIGHTHOUSE") or shutil.which("lighthouse")
    if lighthouse is None:
        print(MISSING)
        return
    with tempfile.TemporaryDirectory() as name, served(Path(name)) as address:
        seen: dict[str, list[Paint]] = {path: [] for path in (BARE, *PAGES)}
        for _ in range(ROUNDS):
            for path, paints in seen.items():
                paints.append(look(lighthouse, address + path))
    best = {path: least_disturbed(paints) for path, paints in seen.items()}
    for path, page in best.items():
        print(f"{path:<42} {page}, {page.largest / best[BARE].largest:.2f} of the bare page")
        for title in page.lost:
            print(f"  lost a point by: {title}")


if __name__ == "__main__":
    main()
