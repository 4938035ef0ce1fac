"""Measure how soon a slow phone shows a page: `python -m tests.bench bench_paint`.

Lighthouse loads a page of each type as visitors get it, from nginx over HTTP/2 with the files of
deploy/nginx, and beside them a page of nothing but an article's words. The targets are 1.15 of the
bare page's largest paint, no shift, no blocking, and all four scores at 100. Pages behind a token
are left out: they are not to be indexed, which costs them points.

Lighthouse is a program of its own, which this repository does not hold: it is taken from the PATH,
or from where the environment's LIGHTHOUSE says.
"""

import gzip
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import brotli

from tests.deploy.cluster import Cluster
from tests.support import tools
from tests.support.databases import PostgreSQL
from tests.support.fake_sendgrid import StandIn
from tests.support.limits_store import LimitsStore

ARTICLE = "/insights/why-most-ai-pilots-never-scale/"
BARE = "/bare/"
PAGES = (
    *("/", ARTICLE, "/insights/", "/framework/", "/framework/assess/", "/services/", "/about/"),
    *("/discovery-call/", "/questions/", "/privacy/", "/contact/"),
    *("/assessment/", "/assessment/example/", "/book/"),
)
ROUNDS = 3
AUDITS = (
    *("first-contentful-paint", "largest-contentful-paint", "total-blocking-time"),
    *("cumulative-layout-shift", "total-byte-weight"),
)
FLAGS = " ".join(
    re.sub(r"=(.* .*)", r"='\1'", flag)  # Lighthouse splits them at spaces
    for flag in ("--headless", "--ignore-certificate-errors", *tools.QUIET)
)
MISSING = "NOT MEASURED: Lighthouse is missing. It is looked for on the PATH and in LIGHTHOUSE."


@dataclass(frozen=True)
class Paint:
    """What Lighthouse saw of one page: milliseconds, bytes, the shift as a share of the window.

    `lost` names the audits that cost it a point.
    """

    first: float
    largest: float
    blocking: float
    shift: float
    sent: float
    scores: tuple[int, ...]
    lost: tuple[str, ...]

    def __str__(self) -> str:
        scores = " ".join(map(str, self.scores))
        return (
            f"paint {self.first:.0f} to {self.largest:.0f} ms, blocking {self.blocking:.0f} ms, "
            f"shift {self.shift:.3f}, {self.sent / 1000:.1f} kB, scores {scores}"
        )


def least_disturbed(paints: list[Paint]) -> Paint:
    """Return the best value of each measurement of a page: other work only increases them."""
    scores = tuple(map(max, zip(*(one.scores for one in paints), strict=True)))
    return Paint(
        min(one.first for one in paints),
        min(one.largest for one in paints),
        min(one.blocking for one in paints),
        min(one.shift for one in paints),
        min(one.sent for one in paints),
        scores,
        min((one.lost for one in paints), key=len) if set(scores) != {100} else (),
    )


def add_bare_page(site: Path) -> None:
    """Add a page with an article's text and without any design, compressed like the others."""
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
    for name, compress in (("gz", gzip.compress), ("br", brotli.compress)):
        page.with_name(f"index.html.{name}").write_bytes(compress(page.read_bytes()))


@contextmanager
def deployed(folder: Path) -> Iterator[str]:
    """Run the product as it is deployed; yield its address."""
    with ExitStack() as stack:
        database, limits = PostgreSQL(), LimitsStore()
        stack.callback(database.stop)
        stack.callback(limits.remove)
        provider = stack.enter_context(StandIn())
        stores = {
            "DATABASE_URL": database.url,
            "LIMITS_STORAGE": limits.url,
            "SENDGRID_HOST": provider.url,
        }
        cluster = stack.enter_context(Cluster(folder, 1, **stores))
        add_bare_page(cluster.site)
        yield cluster.address


def look(lighthouse: str, url: str) -> Paint:
    """Load a page with Lighthouse's default of a slow phone."""
    command = [lighthouse, url, "--quiet", "--output=json", f"--chrome-flags={FLAGS}"]
    environment = os.environ | {"CHROME_PATH": tools.chromium() or ""}
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
    first, largest, blocking, shift, sent = (audits[name]["numericValue"] for name in AUDITS)
    return Paint(first, largest, blocking, shift, sent, scores, lost)


def main() -> None:
    lighthouse = os.environ.get("LIGHTHOUSE") or shutil.which("lighthouse")
    if lighthouse is None:
        print(MISSING)
        return
    if lacking := tools.lacking(["cluster"]):
        print(f"NOT MEASURED: {lacking[1]}. {tools.remedy()}")
        return
    with tempfile.TemporaryDirectory() as name, deployed(Path(name)) as address:
        seen: dict[str, list[Paint]] = {path: [] for path in (BARE, *PAGES)}
        for _ in range(ROUNDS):
            for path, paints in seen.items():
                paints.append(look(lighthouse, address + path))
    best = {path: least_disturbed(paints) for path, paints in seen.items()}
    bare = best[BARE]
    for path, page in best.items():
        ratios = f"{page.first / bare.first:.2f} and {page.largest / bare.largest:.2f}"
        print(f"{path:<42} {page}, {ratios} of the bare page")
        for title in page.lost:
            print(f"  lost a point by: {title}")
