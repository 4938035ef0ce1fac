"""SIGTERM with requests in flight: each that was accepted is finished, and no later one is."""

import threading
import time

from tests.service.running import Product

from .holding import held
from .load import Crowd, books

IN_FLIGHT = 6  # fewer than there are threads, so that each is certainly under way


def run(environment: dict[str, str], rounds: int) -> dict[str, int]:
    """Stop the product `rounds` times while forms wait for the database."""
    crowd, refused = Crowd(), 0
    for turn in range(rounds):
        with Product(environment) as product:
            first = turn * IN_FLIGHT
            with held(environment["DATABASE_URL"]):
                writers = [
                    threading.Thread(target=crowd.write, args=(product, first + number))
                    for number in range(IN_FLIGHT)
                ]
                for writer in writers:
                    writer.start()
                time.sleep(1)
                product.process.terminate()
                time.sleep(0.5)
                refused += crowd.write(product, 10_000 + turn).status == 0
            for writer in writers:
                writer.join()
            assert product.process.wait(timeout=60) == 0
    assert len(crowd.acknowledged) == rounds * IN_FLIGHT, crowd.answered
    assert refused == rounds, "a request was taken after the stop"
    stored = books(environment["DATABASE_URL"])
    stored.check(crowd.acknowledged)
    assert set(stored.events) == crowd.acknowledged
    return {
        "stops": rounds,
        "requests in flight": rounds * IN_FLIGHT,
        "finished and stored": len(stored.events),
        "refused afterward": refused,
    }
