"""The database held by another: short waits are waited for, long ones say "not saved" in time."""

import threading
import time

from tests.support.processes import Answer, Product

from .holding import held
from .load import Crowd, books

WRITERS = 5
LONGER_THAN_PATIENCE = 8  # seconds
SHORT = 1.5


def run(environment: dict[str, str], rounds: int) -> dict[str, int]:
    """Hold the database for a short and for a long while, `rounds` times over."""
    crowd, read, refused = Crowd(), 0, []
    with Product(environment) as product:
        for turn in range(rounds):
            patient = _while_held(crowd, product, environment, turn * 2 * WRITERS, SHORT)
            assert {answer.status for answer in patient} == {303}
            asked = [(turn * 2 + 1) * WRITERS + number for number in range(WRITERS)]
            refused += _while_held(crowd, product, environment, asked[0], LONGER_THAN_PATIENCE)
            read += sum(product.get(path).status == 200 for path in ("/book/", "/contact/"))
            for number in asked:
                assert crowd.write(product, number).status == 303
    assert {answer.status for answer in refused} == {503}, crowd.answered
    assert all("Not saved" in answer.text and "visitor" in answer.text for answer in refused)
    stored = books(environment["DATABASE_URL"])
    stored.check(crowd.acknowledged)
    assert set(stored.events) == crowd.acknowledged
    return {
        "forms that waited": rounds * WRITERS,
        "told that it was not saved": len(refused),
        "saved on the second try": len(refused),
        "pages read": read,
        "stored": len(stored.events),
    }


def _while_held(
    crowd: Crowd, product: Product, environment: dict[str, str], first: int, seconds: float
) -> list[Answer]:
    """Send forms while the database is held for so long; return their answers."""
    answers: list[Answer] = []
    writers = [
        threading.Thread(
            target=lambda number=first + place: answers.append(crowd.write(product, number))
        )
        for place in range(WRITERS)
    ]
    with held(environment["DATABASE_URL"]):
        for writer in writers:
            writer.start()
        until = time.monotonic() + seconds
        while time.monotonic() < until and any(writer.is_alive() for writer in writers):
            assert product.get("/healthz").status == 200
            time.sleep(0.1)
    for writer in writers:
        writer.join()
    return answers
