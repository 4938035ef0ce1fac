"""Create records for every page, and keep their tokens and paths."""

import uuid
from datetime import timedelta
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lead_service import clock
from lead_service.book.availability import time_cells
from lead_service.book.hosts.models import Host
from lead_service.book.models import Booking, CallOutcome
from lead_service.desk.blueprint import COOKIE
from lead_service.emails.message import EmailKind
from lead_service.emails.models import EmailState, OutboxMessage
from lead_service.leads.models import Lead
from lead_service.web.context import Context
from lead_service.web.mailbox import mailbox_token
from tests.support.app import desk_client, visitor_forms
from tests.support.app.visitor_forms import open_starts
from tests.support.browser import mailbox
from tests.support.browser.product import HOST, Product
from tests.support.matching import match

NAME, EMAIL = "Grete O'Neil", "grete@example.com"
MAILED = "mailed@example.com"  # an address that gets only a result


class Tokens(dict):
    """Tokens and paths by name, made by walking once through an application on its database.

    `result`, `begun`, `booking`, `cancelled`, `held`, `link` are tokens; `start`, `lead`,
    `suspect`, `call`, `missed`, `mail`, `shared`, `not_me`, `choices` are paths; `cookies` are a
    member's.
    """

    def __init__(self, product: Product) -> None:
        self._visit(product.client, product.context)
        self._enter_the_desk(product.client, product.context)
        (mail,) = product.mails(lambda one: one["to"] == MAILED)
        self["not_me"] = urlsplit(mailbox.link(mail, "/assessment/not-me/")).path

    def _visit(self, client: FlaskClient, context: Context) -> None:
        """Assess, share and email the result; book, cancel, and book like a program."""
        framework = context.published.framework
        self["begun"] = _token(visitor_forms.begin(client, framework))
        result = visitor_forms.assess(client, framework, {"clarify": visitor_forms.WORST})
        self["result"] = result.split("/")[2]
        client.post(f"{result}share")
        shared = match(r'share-link"><a href="([^"]+)"', client.get(f"{result}save/").text)[1]
        self["shared"] = urlsplit(shared).path
        client.post(f"{result}mail", data={"email": MAILED})
        grete = {"name": NAME, "email": EMAIL}
        booked = visitor_forms.book(client, assessment=self["result"], **grete)
        cancelled = visitor_forms.book(client, **grete)
        client.post(f"{cancelled}cancel")
        visitor_forms.book(client, name="Missed", email="missed@example.com")
        bot = {"name": "A Bot", "email": "bot@example.com", "website": "x"}
        held = visitor_forms.book(client, **bot)
        self |= {"booking": _token(booked), "cancelled": _token(cancelled), "held": _token(held)}
        self["start"] = f"/book/{open_starts(client)[0]}/"

    def _enter_the_desk(self, client: FlaskClient, context: Context) -> None:
        """Sign in, add a host without hours, and set the paths of pages."""
        database, settings = context.database, context.settings
        self["link"] = _token(desk_client.path_of_link(database, settings, HOST))
        desk_client.sign_in(client, database, settings, HOST)
        value = client.get_cookie(COOKIE, domain="localhost")
        assert value
        cookie = {"name": COOKIE, "value": value.value, "url": settings.public_url}
        self.cookies = [cookie]
        ben = Host(name="Ben", email="ben@example.com", zone="UTC")
        database.write(lambda session: session.add(ben))
        with database.read() as session:
            for name, address in (("lead", EMAIL), ("suspect", "bot@example.com")):
                lead = session.scalars(select(Lead).where(Lead.email == address)).one()
                self[name] = f"/desk/leads/{lead.id}/"
                self["choices"] = f"/email/{mailbox_token(settings.secret, lead)}/"
            mail = session.scalars(select(OutboxMessage.id)).first()
            self["mail"] = f"/desk/outbox/{mail}/"
        self["missed"] = database.write(_miss_a_call)
        self["call"] = match(r"/desk/calls/\d+/", client.get("/desk/calls/").text)[0]


def _miss_a_call(session: Session) -> str:
    """Mark a visitor's call as a no-show, with a failed email; return its page."""
    call = session.scalars(select(Booking).where(Booking.name == "Missed")).one()
    time_cells.free(session, call)  # otherwise its old time would be offered, and then refused
    now = clock.now()
    call.starts_at, call.outcome = now - timedelta(days=1), CallOutcome.NO_SHOW
    failed = {"state": EmailState.FAILED, "reason": "The mailbox is full", "alarm_at": now}
    times = {"created_at": now, "due_at": now, "next_at": now}
    email = {"kind": EmailKind.BOOKING_AGAIN, "address": call.email, "lead_id": call.lead_id}
    session.add(OutboxMessage(id=uuid.uuid4().hex, **email, **failed, **times))
    return f"/desk/calls/{call.id}/"


def _token(address: str) -> str:
    return address.rstrip("/").rpartition("/")[2]
