"""Fill the disk: forms say “not saved”, pages still open, and no restart is needed afterward.

    python -m tests.faults.disk FOLDER ROUNDS

runs on a disk that is mounted at FOLDER already, and prints what it counted as JSON.
"""

import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.support.processes import ROOT, Answer, Product, children
from tests.support.waiting import eventually

from .load import Crowd, books

# A small disk in the mount namespace of this test's processes.
MOUNT = 'mount -t tmpfs -o size=4m tmpfs "$0" && exec "$@"'
OWN_DISK = ("unshare", "--map-root-user", "--mount", "sh", "-c", MOUNT)
MOST = 400  # forms, more than fit on the disk
TYPED = "Something is stuck."


def run(environment: dict[str, str], rounds: int) -> dict[str, int]:
    """Fill the disk under SQLite `rounds` times; PostgreSQL has its disk elsewhere."""
    if not environment["DATABASE_URL"].startswith("sqlite"):
        return {"disks of ours": 0}
    folder = Path(environment["VAR_DIR"]) / "disk"
    folder.mkdir(parents=True)
    outside = environment | {"DATABASE_URL": f"sqlite:///{folder}/test.db"}
    if subprocess.run([*OWN_DISK, folder, "true"], capture_output=True).returncode:
        return fill_up(outside, rounds, _limit_files)  # mounting is not allowed
    program = (sys.executable, "-m", __name__, folder, str(rounds))
    told = subprocess.run(
        [*OWN_DISK, folder, *program],
        env={**os.environ, **outside},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(told.stdout)


def fill_up(
    environment: dict[str, str],
    rounds: int,
    fill: Callable[[Product, Path], Callable[[], object]],
) -> dict[str, int]:
    """Send forms until one is refused, open pages, free space, and send the form again."""
    url, crowd, read, undone = environment["DATABASE_URL"], Crowd(), 0, 0
    folder = Path(url.removeprefix("sqlite:///")).parent
    with Product(environment) as product:
        for _ in range(rounds):
            delete = _answers_to_delete(product)
            make_room = fill(product, folder)
            answer = _until_refused(crowd, product)
            assert "Not saved" in answer.text and TYPED in answer.text
            read += sum(product.get(path).status == 200 for path in ("/", "/book/", "/contact/"))
            assert product.post(delete, {}).status == 503, "there was room to delete"
            make_room()
            undone += product.post(delete, {}).status == 303
            assert eventually(lambda: crowd.write(product, crowd.sent).status == 303)
        stored = books(url)
    stored.check(crowd.acknowledged)
    assert set(stored.events) == crowd.acknowledged
    assert crowd.answered.keys() == {303, 503}, crowd.answered
    assert (read, undone) == (3 * rounds, rounds)
    return {
        "disks filled": rounds,
        "told that it was not saved": crowd.answered[503],
        "pages read": read,
        "deleted only once there was room": undone,
        "stored": len(stored.events),
    }


def _answers_to_delete(product: Product) -> str:
    """Start a self-assessment; return the path that deletes it, which needs space, too."""
    page = product.get("/assessment/").text
    given = dict(re.findall(r'type="radio"[^>]* name="([^"]+)" value="([^"]+)"', page))
    begun = product.post("/assessment/", given)
    assert begun.status == 303, begun
    return f"/assessment/{begun.location.split('/')[2]}/delete"


def _until_refused(crowd: Crowd, product: Product) -> Answer:
    for _ in range(MOST):
        crowd.sent += 1
        answer = crowd.write(product, crowd.sent)
        if answer.status != 303:
            return answer
    raise AssertionError("the disk does not fill up")


def _fill_disk(_product: Product, folder: Path) -> Callable[[], object]:
    """Fill the last byte; return the function that frees space."""
    filler = folder / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass
    return filler.unlink


def _limit_files(product: Product, _folder: Path) -> Callable[[], object]:
    """Limit the processes' files to a page; return the function that lifts the limit."""

    def limit(size: int) -> None:
        for pid in children(product.process.pid):
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    limit(4096)
    return lambda: limit(resource.RLIM_INFINITY)


if __name__ == "__main__":
    url = f"sqlite:///{sys.argv[1]}/test.db"
    print(json.dumps(fill_up({"DATABASE_URL": url}, int(sys.argv[2]), _fill_disk)))
