"""Compare leads, times and results under load with bare Flask on the same machine, as ratios.

`BENCH_REQUESTS=100000 python -m tests.bench bench_load` watches memory for that many requests.
Rounds of the product and the floor take turns, so that whatever else the machine does hits both.
Where it does much else, the ratio of the processors' time says more than that of the rates.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lead_service import create_app
from lead_service.book.hosts import setup
from lead_service.db import schema
from lead_service.db.engine import Database
from lead_service.settings import load as settings_from
from tests.bench.load import Round, get, load, post
from tests.support import whole_site
from tests.support.app.visitor_forms import assess
from tests.support.local_server import free_port
from tests.support.matching import match
from tests.support.processes import ROOT, Product, children

ROUNDS = 3
COUNT = 600  # requests per round
WATCHED = int(os.environ.get("BENCH_REQUESTS", "4000"))
MEGABYTES_ALLOWED, SECONDS_ALLOWED = 120, 1.5
TARGETS = {"post a lead": (0.5, 5), "times": (0.5, 3), "result": (0.5, 3)}  # of the floor; p99/p50


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        floor_port = free_port()
        given = environment(folder)
        began = time.perf_counter()
        with Product(given, "web") as product:
            started = time.perf_counter() - began
            process = start_floor(folder, floor_port)
            floor = Target(process.pid, floor_port)
            try:
                _compare(Target(product.process.pid, int(product.port)), product, floor)
                _watch(product)
            finally:
                process.terminate()
                process.wait()
        print(f"start to first answer: {started:.2f} s (target {SECONDS_ALLOWED})")


def environment(folder: Path) -> dict[str, str]:
    """Build the site, create the database, and return the web server's environment."""
    site = folder / "site"
    whole_site.build(site)
    given = {
        "DATABASE_URL": f"sqlite:///{folder / 'product.db'}",
        "VAR_DIR": str(folder / "var"),
        "SITE_DIR": str(site),
        # No limit, but about as many stored hits as of a client within the real one.
        "LIMIT_POSTS": "1000000 per second",
    }
    settings = settings_from(given)
    for url in (settings.database_url, f"sqlite:///{folder / 'floor.db'}"):
        database = Database(url)
        schema.migrate(database)
        database.write(lambda session: setup.create_first_host(session, settings))
        database.close()
    return given


def start_floor(folder: Path, port: int) -> subprocess.Popen:
    where = f"sqlite:///{folder / 'floor.db'}"
    floor = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.floor", str(port), where], cwd=ROOT
    )
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return floor
        time.sleep(0.1)
    raise SystemExit("the floor does not start")


@dataclass(frozen=True)
class Target:
    """A server, and the processor time of its processes so far."""

    pid: int
    port: int

    def load(
        self, request: Callable[[int, int], bytes], wanted: int, count: int = COUNT
    ) -> tuple[Round, float]:
        """Run a round; return it, and the milliseconds of processor time per response."""
        before = self._seconds()
        done = load(self.port, count, lambda number: request(self.port, number), wanted)
        return done, (self._seconds() - before) * 1000 / count

    def _seconds(self) -> float:
        used = 0
        for pid in (self.pid, *children(self.pid)):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            used += int(fields[11]) + int(fields[12])
        return used / os.sysconf("SC_CLK_TCK")


def _compare(ours: Target, product: Product, floor: Target) -> None:
    """Print one line for each kind of request."""
    numbers = iter(range(10**9))
    app = create_app(settings_from(product.environment))
    client, context = app.test_client(), app.extensions["lead_service"]
    client.environ_base |= {"HTTP_SEC_FETCH_SITE": "same-origin", "HTTP_HOST": product.host}
    result = assess(client, context.published.framework)
    context.database.close()
    kinds = {"post a lead": (_lead(numbers), _lead(numbers), 303)}
    for name, path in {"times": "/book/?zone=America/New_York", "result": result}.items():
        size = len(product.get(path).text.encode())
        kinds[name] = (_page(path), _page(f"/page/{size}"), 200)
    head = ("", "ours/s", "floor/s", "ratio", "by cpu", "target", "p50 ms", "p99 ms", "p99/p50")
    print("{:<12}{:>8}{:>9}{:>7}{:>8}{:>8}{:>8}{:>8}{:>9}  allowed".format(*head))
    for name, (own, others, wanted) in kinds.items():
        rounds = [(ours.load(own, wanted), floor.load(others, wanted)) for _ in range(ROUNDS)]
        _print(name, rounds)


def _lead(numbers: Iterator[int]) -> Callable[[int, int], bytes]:
    return lambda port, _: post("/contact/", port, form(next(numbers)))


def _page(path: str) -> Callable[[int, int], bytes]:
    return lambda port, _: get(path, port)


def _print(name: str, rounds: list[tuple[tuple[Round, float], tuple[Round, float]]]) -> None:
    """Print the round with the median ratio."""
    failed = sum(one.failed for pair in rounds for one, _ in pair)
    target, spread = TARGETS[name]
    ordered = sorted(rounds, key=lambda pair: pair[0][0].rate / pair[1][0].rate)
    (own, own_cpu), (other, other_cpu) = ordered[len(ordered) // 2]
    p50, p99 = own.percentile(50), own.percentile(99)
    print(
        f"{name:<12}{own.rate:>8.0f}{other.rate:>9.0f}{own.rate / other.rate:>7.2f}"
        f"{other_cpu / own_cpu:>8.2f}{target:>8}{p50:>8.1f}{p99:>8.1f}{p99 / p50:>9.1f}{spread:>9}"
        + (f"   {failed} answers were not as they should be" if failed else "")
    )


def _watch(product: Product) -> None:
    """Print the web process's memory during requests of every kind."""
    port, number = int(product.port), iter(range(10**9, 2 * 10**9))
    mixed = (
        lambda: post("/contact/", port, form(next(number))),
        lambda: get("/book/", port),
        lambda: get("/contact/", port),
    )
    kept = [_megabytes(product)]
    for _ in range(4):
        load(port, WATCHED // 4, lambda n: mixed[n % 3](), 200)
        kept.append(_megabytes(product))
    print(f"memory over {WATCHED} requests: {', '.join(f'{one:.0f}' for one in kept)} MB "
          f"(target {MEGABYTES_ALLOWED}, and flat)")  # fmt: skip


def _megabytes(product: Product) -> float:
    """Return the resident memory of the largest web process."""
    found = []
    for pid in (product.process.pid, *children(product.process.pid)):
        text = Path(f"/proc/{pid}/status").read_text()
        found.append(int(match(r"VmRSS:\s+(\d+)", text)[1]) / 1024)
    return max(found)


def form(number: int) -> str:
    return urllib.parse.urlencode(
        {
            "submission": f"bench-{number}",
            "name": "Ada Example",
            "email": f"ada.{number}@example.com",
            "company": "Example Works",
            "phone": "+1 555 0100",
            "topic": "The pilot worked and nobody funds the rollout.",
        }
    )
