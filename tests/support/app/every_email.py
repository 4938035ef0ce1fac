"""Trigger every kind of email, and write all of them to files for review.

python -m tests.support.app.every_email FOLDER
"""

import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lead_service import clock, create_app
from lead_service.accounts.audit_log import Actor
from lead_service.book import call_changes
from lead_service.book.calendars import notices
from lead_service.book.forms import parse_start
from lead_service.book.hosts import setup
from lead_service.book.hosts.models import CalendarFeed, Host
from lead_service.book.models import Booking, CallOutcome
from lead_service.db import schema
from lead_service.desk.mail.composers import composer
from lead_service.desk.team import membership
from lead_service.emails import practice_context, team_notices, worker
from lead_service.emails.message import EmailKind, Message, compose
from lead_service.emails.models import OutboxMessage
from lead_service.emails.outbox import NotNeeded
from lead_service.emails.transports.folder import Folder
from lead_service.leads import capture
from lead_service.leads.consent import Occasion
from lead_service.leads.contact_details import ContactDetails
from lead_service.people import PEOPLE_JSON
from lead_service.settings import Settings, load
from lead_service.web.context import Context

from .call_types import ANN, KIND, publish
from .calls import move
from .desk_client import press
from .visitor_forms import assess, book, hidden, open_starts

LEVELS = {"assess": 2, "clarify": 0, "transform": 1, "implement": 2, "organize": 1}


def take_every_path(
    client: FlaskClient,
    context: Context,
    post: Callable[[], None],
    typed: dict[str, str],
    lure: str,
) -> None:
    """Queue an email of every kind; visitors have `typed` this, and one gave `lure` as a name."""
    database, settings = context.database, context.settings
    app, now = client.application, clock.now()

    database.write(lambda session: _tell_team(session, settings, now))
    result = assess(client, context.published.framework, LEVELS)
    client.post(result + "mail", data={"email": "ada@example.com"})
    page = book(client, assessment=result.split("/")[2], zone="America/New_York", **typed)
    post()
    later = parse_start(open_starts(client)[5])
    assert later
    move(context, later, note="We are sorry.")
    post()
    client.post(page + "cancel")
    page = book(client, **dict.fromkeys(typed, lure))
    post()

    database.write(lambda session: _collide(session, typed["company"], now))
    post()
    client.post(page + "address", data={"email": "ada@example.org"})
    publish(app, replace(KIND, confirm_first=True))
    book(client, email="cy@example.com", **typed)
    feed = CalendarFeed(id=1, label=typed["company"], fault="the download was cut off", widened="")
    host = Host(id=1, name="Ben Example", email="team@example.com")
    told = host, feed, now
    database.write(lambda session: notices.not_believed(session, *told))
    database.write(lambda session: _miss(session, now))
    token = hidden(client.get("/contact/").text, "submission")
    client.post("/contact/", data=typed | {"email": "b@example.com", "submission": token})
    press(client, "/desk/sign-in/", email="grace@example.com")  # last: once sent, its text is gone


def _tell_team(session: Session, settings: Settings, now: datetime) -> None:
    """Queue the emails of a flood and of an invitation."""
    robot = ContactDetails(email="robot@example.com")
    capture.capture_lead(session, robot, at=now, quarantine=True)
    team_notices.notify(session, settings, None, now, occasion=Occasion.MESSAGE, key="", flood=True)
    membership.invite(session, settings, "grace@example.com", by=Actor(now))


def _collide(session: Session, label: str, now: datetime) -> None:
    """Queue the email about the latest call, which conflicts with the host's calendar."""
    booking = session.scalars(select(Booking).order_by(Booking.id.desc()).limit(1)).one()
    calendar = SimpleNamespace(label=label, host=booking.host)
    notices.collides(session, cast(CalendarFeed, calendar), booking, now)


def _miss(session: Session, now: datetime) -> None:
    """Mark a call as a no-show, and ask its visitor to book again."""
    call = session.scalars(select(Booking).order_by(Booking.id.desc()).limit(1)).one()
    call.starts_at = now - timedelta(days=1)
    call.outcome, call.outcome_at = CallOutcome.NO_SHOW, now
    session.flush()
    assert call_changes.invite_again(session, call, Actor(now), "")


def alarm(settings: Settings) -> Message:
    """Compose the one email that does not pass through the outbox."""
    faults = ["We\u2019ve stopped sending email, because the provider refuses to send (401)."]
    told = {"faults": faults, "fixed": [], "host": "a.test"} | practice_context(settings)
    return compose(EmailKind.ALARM, to="team@example.com", **told)


def _write_all(folder: Path) -> None:
    """Write every email of a made-up day, as HTML and as text."""
    from tests.service.conftest import SECRET, Browser
    from tests.service.conftest import publish as publish_site

    clock.now = lambda: datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    with tempfile.TemporaryDirectory() as here:
        site = publish_site(Path(here))
        (site / "people.json").write_bytes(PEOPLE_JSON.dump_json((ANN,)))
        given = {"VAR_DIR": here, "SITE_DIR": str(site)}
        settings = load(given | {"SECRET_KEY": SECRET, "SALES_TO": "team@example.com"})
        with schema.opened(settings) as database:
            schema.migrate(database)
            database.write(lambda session: _first_host(session, settings))
        app = create_app(settings)
        app.test_client_class = Browser
        context: Context = app.extensions["lead_service"]
        write = composer(settings, context.published)

        def post() -> None:
            transport = Folder(settings)
            while worker.deliver_one(
                context.database, transport, write, clock.now(), keep_text=True
            ):
                pass

        typed = {"name": "Dana Whitfield", "company": "Harborline Freight"}
        typed["topic"] = "The pilot worked. Who funds the rollout?"
        take_every_path(app.test_client(), context, post, typed, lure="Prize at www.evil.example")
        found = [alarm(settings)]
        with context.database.read() as session:
            for row in session.scalars(select(OutboxMessage).order_by(OutboxMessage.kind)):
                with suppress(NotNeeded):
                    if row.body or row.facts is not None:
                        found.append(write(session, row, clock.now()))
    for number, message in enumerate(found):
        name = f"{message.kind}-{number:02}"
        (folder / f"{name}.html").write_text(message.html)
        (folder / f"{name}.txt").write_text(f"{message.subject}\n\n{message.text}")


def _first_host(session: Session, settings: Settings) -> None:
    setup.create_first_host(session, settings)
    host = session.scalars(select(Host)).one()
    host.name, host.person, host.zone = ANN.name, ANN.slug, "America/Chicago"
    host.meeting_link = "https://meet.example.com/ann"


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    _write_all(Path(sys.argv[1]))
