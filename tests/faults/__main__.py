"""Run the long form of every program in this folder on both databases, and print its counts.

python -m tests.faults [NAME...]
"""

import logging
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

from tests.support.databases import PostgreSQL, sqlite_url

# Each program with the rounds of its long form.
PROGRAMS = {
    "kills": 20,
    "stops": 100,
    "provider": 10,
    "clocks": 40,
    "disk": 10,
    "slow": 20,
}


def main(names: list[str]) -> None:
    logging.disable(logging.ERROR)  # the programs print their counts themselves
    server = PostgreSQL()
    try:
        for name in names or PROGRAMS:
            for engine in ("sqlite", "postgresql"):
                server.empty()
                _run(name, engine, server)
    finally:
        server.stop()


def _run(name: str, engine: str, server: PostgreSQL) -> None:
    from tests.service.conftest import publish

    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder, "site")
        site.mkdir()
        environment = {
            "DATABASE_URL": sqlite_url(Path(folder)) if engine == "sqlite" else server.url,
            "VAR_DIR": f"{folder}/var",
            "SITE_DIR": str(publish(site)),
            "SALES_TO": "team@example.com",
            "LIMIT_POSTS": "1000000 per minute",
            "LOG_LEVEL": "ERROR",
        }
        began = time.monotonic()
        counted = import_module(f"tests.faults.{name}").run(environment, PROGRAMS[name])
    told = ", ".join(f"{what} {number}" for what, number in counted.items())
    print(f"{name:<9} {engine:<10} {time.monotonic() - began:4.0f} s  {told}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
