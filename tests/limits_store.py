"""Where several processes count one client's requests together: Valkey, or Redis before it.

Started on a socket in a temporary folder, keeping nothing on disk.
"""

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

START_SECONDS = 20
MISSING = "Valkey is not installed, and the tests need it: apt-get install -y redis-server"


class LimitsStore:
    """A running store; `.url` is what LIMITS_STORAGE takes."""

    def __init__(self) -> None:
        program = shutil.which("valkey-server") or shutil.which("redis-server")
        if program is None:
            pytest.fail(MISSING, pytrace=False)
        self._program = program
        self._folder = tempfile.TemporaryDirectory(prefix="limits-")
        self._socket = Path(self._folder.name) / "socket"
        self.start()

    def start(self) -> None:
        options = ("--port", "0", "--unixsocket", self._socket, "--save", "", "--appendonly", "no")
        self._process = subprocess.Popen(
            [self._program, *options], cwd=self._folder.name, stdout=subprocess.DEVNULL
        )
        self._wait()

    @property
    def url(self) -> str:
        return f"redis+unix://{self._socket}"

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                pytest.fail("the store of limits does not start", pytrace=False)
            time.sleep(0.02)

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
