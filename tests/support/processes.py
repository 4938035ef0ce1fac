"""Run the product's real processes, such as `lead-service serve`, and use them over HTTP."""

import http.client
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.support import forked
from tests.support.local_server import free_port
from tests.support.waiting import PATIENCE, comes_up

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "lead_service")
MAKE = ("make", "--old-file", "build")  # without checking whether the site is current


@dataclass(frozen=True)
class Answer:
    """One response: status (0 if the connection broke), redirect, text."""

    status: int
    location: str
    text: str


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args):
        return None


class Product:
    """A running product on a free port; use it in a `with` block."""

    def __init__(
        self,
        environment: dict[str, str],
        command: str = "serve",
        log: Path = Path(os.devnull),
        program: tuple[str, ...] = PROGRAM,
    ) -> None:
        self.port = environment.get("PORT") or str(free_port())
        is_six = environment.get("BIND_ADDRESS") == "::1"
        self.host = f"{'localhost' if is_six else '127.0.0.1'}:{self.port}"
        self.url = f"http://{'[::1]' if is_six else '127.0.0.1'}:{self.port}"
        self.environment = {
            **os.environ,
            **environment,
            "PORT": self.port,
            "PUBLIC_URL": f"http://{self.host}",
        }
        self.command = (*program, command)
        self.log = log  # its processes' stderr
        self.prefix: tuple[str, ...] = ()  # a program that starts it

    def __enter__(self) -> Self:
        self.start()
        self.wait_until_ready()
        return self

    def start(self) -> None:
        """Start its processes, in a group of their own."""
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*self.prefix, *self.command],
                env=self.environment,
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        is_ready = comes_up(lambda: self.get("/readyz").status == 200, self.process)
        assert is_ready, f"the product has stopped\n{self.log.read_text()}"

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def stop(self) -> int:
        """Stop it, like an operator."""
        self.process.terminate()
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """Kill the web server's processes, like a power cut."""
        for child in children(self.process.pid):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self.process.kill()
        self.process.wait()

    def deliver_pid(self) -> int | None:
        """Return the process id of the deliver process, if it runs."""
        listed = subprocess.run(
            ["ps", "-eo", "pid=,ppid=,stat=,comm="], capture_output=True, text=True, check=True
        ).stdout
        for pid, parent, state, name in (line.split(None, 3) for line in listed.splitlines()):
            is_ours = int(parent) == self.process.pid and name == "deliver"
            if is_ours and not state.startswith("Z"):
                return int(pid)
        return None

    def signal_group(self, *numbers: signal.Signals) -> None:
        """Send signals to its process group, like a terminal."""
        for number in numbers:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def stop_group(self, *numbers: signal.Signals) -> float:
        """Signal its process group twice; return the seconds until everything has ended.

        The last process closes the output. Raises TimeoutExpired after PATIENCE.
        """
        began = time.monotonic()
        self.signal_group(*numbers)
        time.sleep(0.3)
        self.signal_group(*numbers)
        try:
            self.output, _ = self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        assert self.get("/healthz").status == 0
        return time.monotonic() - began

    def ended_quietly(self, numbers: Sequence[signal.Signals]) -> bool:
        """Say whether it ended without an error; make itself may die of its signal."""
        is_make = self.command[0] == "make"
        is_well = self.process.returncode in [0, *(-number for number in numbers if is_make)]
        return is_well and all(
            line.startswith("make: *** ") for line in self.log.read_text().splitlines()
        )

    def get(self, path: str) -> Answer:
        return self._open(urllib.request.Request(self.url + path))

    def post(self, path: str, form: dict[str, str]) -> Answer:
        body = urllib.parse.urlencode(form).encode()
        headers = {"Origin": f"http://{self.host}"}
        return self._open(urllib.request.Request(self.url + path, body, headers))

    def _open(self, request: urllib.request.Request) -> Answer:
        request.add_header("Host", self.host)
        opener = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler({}))
        try:
            try:
                answer = opener.open(request, timeout=PATIENCE)
            except urllib.error.HTTPError as other:
                answer = other
            with answer:
                location = answer.headers.get("Location", "")
                return Answer(answer.status, location, answer.read().decode())
        except (OSError, http.client.HTTPException):  # before an answer, or in the middle of one
            return Answer(0, "", "")


def contact_form(number: int) -> dict[str, str]:
    """Fill in the contact form with data of its own for each number."""
    return {
        "submission": f"form {number}",
        "name": f"Visitor {number}",
        "email": f"visitor{number}@example.com",
        "topic": "Something is stuck.",
    }


def children(pid: int) -> list[int]:
    """Return the processes that descend from `pid`."""
    listed = subprocess.run(
        ["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout
    parents = [tuple(map(int, line.split())) for line in listed.splitlines()]
    found, queue = [], [pid]
    while queue:
        parent = queue.pop()
        direct = [child for child, its_parent in parents if its_parent == parent]
        found += direct
        queue += direct
    return found


def run(
    environment: dict[str, str], *arguments: str, prefix: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Run one command; `prefix` is a program that starts it."""
    env = {**os.environ, "PORT": str(free_port()), **environment}
    if not prefix:
        return forked.run(arguments, env, ROOT, PATIENCE)
    command = [*prefix, *PROGRAM, *arguments]
    return subprocess.run(
        command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE
    )
