"""Let a row of the outbox be an intent, which is composed when it is sent.

Waiting emails keep the text that was composed for them. Emails to the team that were stored as a
template and its values become intents.
"""

import json
import re

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

KEY = re.compile(r"(?P<uid>[0-9a-f]{32}):(?P<what>\w+)(:(?P<sequence>\d+))?")
OCCASIONS = {"booked": "call", "missed": "wanted-call", "wrote": "message", "result": "result"}
OPEN = "('pending', 'held', 'sending', 'failed', 'dead')"


def upgrade() -> None:
    op.add_column("outbox", sa.Column("booking_id", sa.Integer(), nullable=True))
    op.execute("ALTER TABLE outbox ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE outbox ADD COLUMN turn INTEGER NOT NULL DEFAULT 1")
    op.add_column("outbox", sa.Column("facts", sa.JSON(), nullable=True))
    op.drop_index(op.f("ix_outbox_state_next_at"), "outbox")
    for columns in (
        ("state", "turn", "next_at"),
        ("state", "useless_after"),
        ("booking_id", "address"),
    ):
        op.create_index(op.f(f"ix_outbox_{'_'.join(columns)}"), "outbox", columns)
    op.execute("UPDATE outbox SET turn = 0 WHERE kind = 'sign_in'")
    op.execute("UPDATE outbox SET turn = 2 WHERE due_at > created_at")
    op.execute("UPDATE outbox SET turn = 3 WHERE turn > 0 AND attempts > 0")
    op.execute(f"UPDATE outbox SET facts = '{{}}' WHERE body IS NOT NULL AND state IN {OPEN}")
    _name_bookings(op.get_bind())
    _turn_drafts_into_intents(op.get_bind())


def _name_bookings(connection: sa.Connection) -> None:
    """Set the booking and the sequence of each email about a call."""
    known = connection.execute(sa.text("SELECT uid, id, sequence FROM booking"))
    bookings = {row.uid: row for row in known}
    query = "SELECT id, dedupe_key FROM outbox WHERE kind LIKE 'booking_%'"
    for row in connection.execute(sa.text(query)).all():
        key = KEY.match(row.dedupe_key or "")
        booking = bookings.get(key["uid"]) if key else None
        if key and booking:
            # Without a number it is the cancellation, the last that happens to a call.
            number = booking.sequence if key["sequence"] is None else int(key["sequence"])
            _update(connection, row.id, booking_id=booking.id, sequence=number)


def _turn_drafts_into_intents(connection: sa.Connection) -> None:
    query = "SELECT id, dedupe_key, body FROM outbox WHERE kind = 'new_lead' AND body IS NOT NULL"
    for row in connection.execute(sa.text(query)).all():
        context = json.loads(row.body).get("context")
        if context is None:
            continue
        occasion = OCCASIONS[row.dedupe_key.split(":")[1]]
        what = context["what"] + (f": {context['call']}" if context.get("call") else "")
        facts = {"occasion": occasion, "what": what, "text": context["text"]}
        facts["came_from"] = context["article"]
        _update(connection, row.id, facts=json.dumps(facts), body=None)


def _update(connection: sa.Connection, outbox_id: str, **values: object) -> None:
    columns = ", ".join(f"{name} = :{name}" for name in values)
    statement = sa.text(f"UPDATE outbox SET {columns} WHERE id = :id")
    connection.execute(statement, values | {"id": outbox_id})
