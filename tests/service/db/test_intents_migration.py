"""The migration that made rows of the outbox intents: nothing that waits is lost."""

import json

import pytest
from sqlalchemy import text

from lead_service.book.models import Booking
from lead_service.db import schema
from lead_service.emails.message import EmailKind, Message, to_json
from lead_service.emails.models import OutboxMessage
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.visitor_forms import VISITOR, book

pytestmark = pytest.mark.usefixtures("at")
TEXT = to_json(Message(EmailKind.BOOKING_CONFIRMED, "a@b.test", "", "As before", "x", "<p>x</p>"))
DRAFT = {"what": "wrote to us", "text": "Please call.", "article": "", "call": "", "brief": None}


@pytest.mark.long
def test_waiting_emails_are_sent_as_composed_and_know_their_call(client, database, context, mails):
    book(client)
    client.post("/contact/", data=VISITOR | {"submission": "once"})
    with database.read() as session:
        booking = session.query(Booking).one()
    keys = {"booking_confirmed": f"{booking.uid}:confirmed:0", "new_lead": "team:wrote:x:0"}
    bodies = {"booking_confirmed": TEXT, "new_lead": json.dumps({"context": DRAFT})}
    old = text("UPDATE outbox SET body = :body, dedupe_key = :key WHERE kind = :kind")
    forget = "ALTER TABLE outbox DROP COLUMN {}".format
    with database.engine.begin() as connection:
        for kind, body in bodies.items():
            connection.execute(old, {"kind": kind, "body": body, "key": keys[kind]})
        for name in ("state_turn_next_at", "state_useless_after", "booking_id_address"):
            connection.execute(text(f"DROP INDEX ix_outbox_{name}"))
        for column in ("booking_id", "sequence", "turn", "facts"):
            connection.execute(text(forget(column)))
        connection.execute(text("CREATE INDEX ix_outbox_state_next_at ON outbox (state, next_at)"))
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('0013')"))
    schema.migrate(database, "0014")
    told = {row.kind: (row, message) for row, message in mails()}
    row, message = told["booking_confirmed"]
    assert (message.subject, row.booking_id, row.sequence) == ("As before", booking.id, 0)
    row, message = told["new_lead"]
    assert "new message" in message.subject and "Please call." in message.text
    assert row.facts and row.body is None
    with database.read() as session:
        reminders = session.query(OutboxMessage).filter_by(kind="booking_reminder").all()
    assert {(one.turn, one.booking_id) for one in reminders} <= {(2, booking.id), (2, None)}
    assert all(one.due_at > MONDAY_MORNING for one in reminders)
