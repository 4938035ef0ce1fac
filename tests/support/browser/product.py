"""The whole product as one machine runs it: `lead-service serve` on the built site."""

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import func, select

from lead_service.book.models import Booking
from lead_service.db.engine import Database
from lead_service.emails.models import OutboxMessage
from lead_service.leads.models import Lead
from tests.support import databases, forked
from tests.support.browser import mailbox
from tests.support.matching import match
from tests.support.waiting import PATIENCE, comes_up, eventually

ROOT = Path(__file__).resolve().parents[3]
HOST, TEAM = "grace@example.com", "team@example.com"
HOST_ZONE = "Europe/Berlin"


class Product:
    """A running web server and deliver process with a folder and a database of their own."""

    def __init__(self, site: Path, folder: Path, database_url: str = "") -> None:
        self.site, self.folder = site, folder
        self.var = folder / "var"
        self.address = f"http://127.0.0.1:{_free_port()}"
        self.database_url = database_url or f"sqlite:///{self.var / 'lead_service.db'}"
        self._log = folder / "serve.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [*LEAD_SERVICE, "serve"],
                env=self.environment,
                cwd=folder,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait_until_ready()
            databases.let_first_host_take_calls(self.database_url, HOST_ZONE)
        except BaseException:
            self.stop()
            raise

    @property
    def environment(self) -> dict[str, str]:
        """Return no setting but these: what the machine has set is no part of a test."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),  # the program beside these tests, whatever is installed
            "PORT": self.address.rpartition(":")[2],
            "PUBLIC_URL": self.address + "/",
            "SITE_DIR": str(self.site),
            "VAR_DIR": str(self.var),
            "DATABASE_URL": self.database_url,
            "SALES_TO": f"{HOST},{TEAM}",
        }

    def _wait_until_ready(self) -> None:
        if not comes_up(lambda: _answers(self.address + "/readyz"), self._process):
            pytest.fail(f"`lead-service serve` does not start:\n{self.log}", pytrace=False)

    @property
    def log(self) -> str:
        """What the processes printed so far."""
        return self._log.read_text()

    @property
    def printed_link(self) -> str:
        """The one-time address of the desk that the start printed."""
        return match(r"http://\S+/desk/sign-in/\S+", self.log)[0]

    def command(self, *arguments: str) -> str:
        """Run another `lead-service` command on the same product; return what it printed."""
        done = forked.run(arguments, self.environment, self.folder, PATIENCE)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def mails(self, which: Callable[[EmailMessage], bool], count: int = 1) -> list[EmailMessage]:
        """Wait until `count` mails of a kind lie in the folder; return them, oldest first."""
        found: list[EmailMessage] = []

        def have_come() -> bool:
            found[:] = filter(which, mailbox.read(self.var / "mail"))
            return len(found) >= count

        if not eventually(have_come):
            pytest.fail(f"{len(found)} of {count} mails came:\n{self.log}", pytrace=False)
        return found

    def stored(self, email: str) -> dict[str, int]:
        """Count what the database holds of a visitor, whether delivered or not.

        Reminders aside: how many there are depends on the hour at which the test runs.
        """
        database = Database(self.database_url)
        bookings = select(func.count()).where(Booking.email == email)
        leads = select(func.count()).where(Lead.email == email)
        mails = select(func.count(OutboxMessage.id)).join(Lead, OutboxMessage.lead_id == Lead.id)
        mails = mails.where(OutboxMessage.kind != "booking_reminder")
        with database.read() as session:
            counts = {
                "bookings": session.scalar(bookings) or 0,
                "leads": session.scalar(leads) or 0,
                "mails": session.scalar(mails.where(Lead.email == email)) or 0,
            }
        database.close()
        return counts

    def stop(self) -> int:
        """Stop the web server and its deliver process by SIGTERM; return the exit code."""
        self._process.terminate()
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            pytest.fail(f"`lead-service serve` does not stop:\n{self.log}", pytrace=False)


LEAD_SERVICE = (sys.executable, "-m", "lead_service")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE):
            return True
    except OSError:  # an HTTPError, 503 say, is one too
        return False
