"""Signal the whole process group: everything ends, and accepted requests finish first."""

import random
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice, product
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM, Signals
from subprocess import TimeoutExpired

from tests.support import processes
from tests.support.processes import MAKE, PROGRAM, Product
from tests.support.waiting import eventually

from .holding import held
from .load import Crowd, books

IN_FLIGHT = 6  # fewer than threads, so that all of them have started
START_SECONDS = 4  # a start is interrupted within these seconds
SIGNALS = ((SIGTERM, SIGTERM), (SIGINT, SIGINT), (SIGTERM,), (SIGHUP, SIGTERM), (SIGINT, SIGTERM))
MOMENTS = ("in flight", "idle", "starting")
STARTS = ((PROGRAM, "serve"), (MAKE, "serve"), (PROGRAM, "web"))


def run(environment: dict[str, str], rounds: int) -> dict[str, int]:
    """Stop the product `rounds` times, with different signals at different moments."""
    assert processes.run(environment, "migrate").returncode == 0
    # A shell lets its background jobs ignore SIGINT; what they start would, until it is served.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    crowd, moments = Crowd(), Counter[str]()
    seconds: list[float] = []
    ways = cycle(product(SIGNALS, MOMENTS, STARTS))
    for turn, way in enumerate(islice(ways, rounds)):
        signals, moment, (program, command) = way
        log = Path(environment["VAR_DIR"], "stop.log")
        serving = Product(environment, command, log, program)
        serving.start()
        if moment == "starting":
            time.sleep(random.uniform(0, START_SECONDS))
        else:
            serving.wait_until_ready()
        if moment == "in flight":
            _stop_while_writing(serving, signals, crowd, turn * IN_FLIGHT)
        try:
            seconds.append(serving.stop_group(*signals))
        except TimeoutExpired:
            raise AssertionError(f"a stop hangs: {way}") from None
        if moment != "starting":
            code, said = serving.process.returncode, serving.log.read_text()
            assert serving.ended_quietly(signals), (way, code, said)
        moments[moment] += 1
    stored = books(environment["DATABASE_URL"])
    stored.check(crowd.acknowledged)
    assert set(stored.events) == crowd.acknowledged
    return {
        "stops": rounds,
        **moments,
        "requests finished and stored": len(stored.events),
        "longest stop in seconds": round(max(seconds)),
    }


def _stop_while_writing(
    serving: Product, signals: tuple[Signals, ...], crowd: Crowd, first: int
) -> None:
    """Signal the group while forms wait for the database: they finish, later ones don't."""
    with ThreadPoolExecutor(IN_FLIGHT) as visitors:
        with held(serving.environment["DATABASE_URL"]):
            answers = [
                visitors.submit(crowd.write, serving, first + number) for number in range(IN_FLIGHT)
            ]
            time.sleep(1)
            serving.signal_group(*signals)
            refuses = eventually(lambda: serving.get("/healthz").status == 0, seconds=3)
        assert {answer.result().status for answer in answers} == {303}
    assert refuses, "requests were accepted after the stop"
