"""Run the whole product on this machine: `lead-service serve` on the built site."""

import os
import subprocess
import urllib.request
from collections.abc import Callable
from email.message import EmailMessage
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lead_service import clock, create_app
from lead_service.book.models import Booking
from lead_service.desk.auth.links import make_link
from lead_service.emails.models import OutboxMessage
from lead_service.leads.models import Lead
from lead_service.settings import load
from lead_service.web.context import Context
from tests.support import databases
from tests.support.app import visitor_forms
from tests.support.browser import mailbox
from tests.support.processes import PROGRAM, ROOT, free_port
from tests.support.waiting import PATIENCE, comes_up, eventually

HOST, TEAM = "grace@example.com", "team@example.com"
HOST_ZONE = "Europe/Berlin"


class Client(FlaskClient):
    """A client without a browser, which sends forms like the product's own pages."""

    base_url = ""

    def open(self, *arguments: Any, **given: Any) -> Any:
        given = {"base_url": self.base_url, "headers": {"Sec-Fetch-Site": "same-origin"}} | given
        return super().open(*arguments, **given)


class Product:
    """A running web server and deliver process with their own folder and database."""

    def __init__(self, site: Path, folder: Path, database_url: str = "") -> None:
        self.site, self.folder = site, folder
        self.var = folder / "var"
        self.address = f"http://localhost:{free_port()}"  # passkeys need a name
        self.database_url = database_url or f"sqlite:///{self.var / 'lead_service.db'}"
        self._log = folder / "serve.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [*PROGRAM, "serve"],
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
        """Return the environment of a test, without the machine's own settings."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),  # the checked-out program, not an installed one
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
        """The output of the processes so far."""
        return self._log.read_text()

    @cached_property
    def context(self) -> Context:
        """The context of an application in this process, on the same database."""
        return self.client.application.extensions["lead_service"]

    @cached_property
    def client(self) -> Client:
        """A fast client of that application, for preparing a test."""
        app = create_app(load(self.environment))
        client = Client(app)
        client.base_url = self.address
        return client

    def book(self, start: str | None = None, **fields: str) -> None:
        """Book a start, the first open one when none is given, with these fields."""
        visitor_forms.book(self.client, start, **fields)

    def sign_in_link(self, email: str) -> str:
        """Return a sign-in link of a member."""
        return make_link(self.context.database, self.context.settings, email, clock.now())

    def mails(self, which: Callable[[EmailMessage], bool], count: int = 1) -> list[EmailMessage]:
        """Wait for `count` emails of a kind in the folder; return them, oldest first."""
        found: list[EmailMessage] = []

        def have_come() -> bool:
            found[:] = filter(which, mailbox.read(self.var / "mail"))
            return len(found) >= count

        if not eventually(have_come):
            pytest.fail(f"{len(found)} of {count} mails came:\n{self.log}", pytrace=False)
        return found

    def stored(self, email: str) -> dict[str, int]:
        """Count a visitor's rows in the database, delivered or not.

        Without reminders, whose number depends on the time of the test.
        """
        bookings = select(func.count()).where(Booking.email == email)
        leads = select(func.count()).where(Lead.email == email)
        mails = select(func.count(OutboxMessage.id)).join(Lead, OutboxMessage.lead_id == Lead.id)
        mails = mails.where(OutboxMessage.kind != "booking_reminder")
        with self.context.database.read() as session:
            return {
                "bookings": session.scalar(bookings) or 0,
                "leads": session.scalar(leads) or 0,
                "mails": session.scalar(mails.where(Lead.email == email)) or 0,
            }

    def stop(self) -> int:
        """Stop the web server and its deliver process by SIGTERM; return the exit code."""
        if "client" in vars(self):
            self.context.database.close()
        self._process.terminate()
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            pytest.fail(f"`lead-service serve` does not stop:\n{self.log}", pytrace=False)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE):
            return True
    except OSError:  # also an HTTPError, such as 503
        return False
