"""Run the whole product on this machine: `lead-service serve` on the built site."""

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
from tests.support import databases, processes
from tests.support.app import visitor_forms
from tests.support.browser import mailbox
from tests.support.waiting import eventually

HOST, TEAM = "grace@example.com", "team@example.com"
HOST_ZONE = "Europe/Berlin"


class Client(FlaskClient):
    """A client without a browser, which sends forms like the product's own pages."""

    base_url = ""

    def open(self, *arguments: Any, **given: Any) -> Any:
        given = {"base_url": self.base_url, "headers": {"Sec-Fetch-Site": "same-origin"}} | given
        return super().open(*arguments, **given)


class Product(processes.Product):
    """A running web server and deliver process with their own folder and database."""

    def __init__(self, site: Path, folder: Path, database_url: str = "") -> None:
        self.site, self.var = site, folder / "var"
        url = database_url or f"sqlite:///{self.var / 'lead_service.db'}"
        own = {"SITE_DIR": str(site), "VAR_DIR": str(self.var), "DATABASE_URL": url}
        super().__init__(own | {"SALES_TO": f"{HOST},{TEAM}"}, log=folder / "serve.log")
        self.host = f"localhost:{self.port}"  # passkeys need a name
        self.url = self.environment["PUBLIC_URL"] = f"http://{self.host}"
        self.start()
        try:
            self.wait_until_ready()
            databases.let_first_host_take_calls(url, HOST_ZONE)
        except BaseException:
            self.stop()
            raise

    @cached_property
    def context(self) -> Context:
        """The context of an application in this process, on the same database."""
        return self.client.application.extensions["lead_service"]

    @cached_property
    def client(self) -> Client:
        """A fast client of that application, for preparing a test."""
        app = create_app(load(self.environment))
        client = Client(app)
        client.base_url = self.url
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
            pytest.fail(
                f"{len(found)} of {count} mails came:\n{self.log.read_text()}", pytrace=False
            )
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
        """Stop the web server and its deliver process; return the exit code."""
        if "client" in vars(self):
            self.context.database.close()
        return super().stop()
