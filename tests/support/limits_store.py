"""Run Valkey or Redis, in which several processes count a client's requests together.

Started on a socket in a temporary folder, keeping nothing on disk.
"""

import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.support import tools
from tests.support.waiting import comes_up


class LimitsStore:
    """A running store; `.url` is the value of LIMITS_STORAGE."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="limits-")
        self._socket = Path(self._folder.name) / "socket"
        self.start()

    def start(self) -> None:
        options = ("--port", "0", "--unixsocket", self._socket, "--save", "", "--appendonly", "no")
        program = tools.valkey()
        assert program
        self._process = subprocess.Popen(
            [program, *options], cwd=self._folder.name, stdout=subprocess.DEVNULL
        )
        if not comes_up(self._answers, self._process):
            pytest.fail("the store of limits does not start", pytrace=False)

    @property
    def url(self) -> str:
        return f"redis+unix://{self._socket}"

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(self._socket))
            except OSError:
                return False
        return True

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def remove(self) -> None:
        self.stop()
        self._folder.cleanup()
