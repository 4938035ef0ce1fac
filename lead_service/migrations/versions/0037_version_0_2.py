"""The schema of version 0.2. Waiting emails keep the text that was composed for them."""

import json
import re

import sqlalchemy as sa
from alembic import op

from lead_service.formats import tel_number
from lead_service.leads.company import company_domain

revision = "0037"
down_revision = "0007"

# PostgreSQL's sequences never give the id of an erased row to another. SQLite does, unless the
# table was created with AUTOINCREMENT.
NUMBERS_FOR_LIFE = ("lead", "booking", "assessment", "note", "member", "host")
WITH_INDEXES = sa.text("SELECT sql FROM sqlite_master WHERE tbl_name = :name AND sql IS NOT NULL")
FLAG = "BOOLEAN NOT NULL DEFAULT FALSE"
COLUMNS = {
    "assessment": (
        "phase VARCHAR(60)",
        "earlier_hash VARCHAR(64)",
        "source VARCHAR(450) DEFAULT '' NOT NULL",
    ),
    "booking": (
        "former_hosts JSON",
        "kind VARCHAR(60) NOT NULL DEFAULT 'discovery'",
        "call_name VARCHAR(80) NOT NULL DEFAULT 'Discovery call'",
        f"awaits_confirmation {FLAG}",
        f"visitor_24_hours {FLAG}",
        "price VARCHAR(80) NOT NULL DEFAULT ''",
        "client VARCHAR(16)",
        f"is_proved {FLAG}",
        "source VARCHAR(450) DEFAULT '' NOT NULL",
    ),
    "calendar_feed": (
        "widened TEXT NOT NULL DEFAULT ''",
        "rules INTEGER NOT NULL DEFAULT 0",
        "retry_at {instant}",
        "told_at {instant}",
        "wanted_at {instant}",
        "size INTEGER NOT NULL DEFAULT 0",
    ),
    "consent": (f"is_proved {FLAG}",),
    "desk_session": ("browser VARCHAR(40) DEFAULT '' NOT NULL",),
    "host": (
        "call_types JSON",
        "calls_version INTEGER NOT NULL DEFAULT 1",
        "person VARCHAR(60) DEFAULT '' NOT NULL",
    ),
    "lead": (
        "disowned_at {instant}",
        "first_touch JSON",
        "last_touch JSON",
        "domain VARCHAR(255) DEFAULT '' NOT NULL",
    ),
    "member": ("zone VARCHAR(64) DEFAULT '' NOT NULL", "views JSON"),
    "outbox": (
        "booking_id INTEGER",
        "sequence INTEGER NOT NULL DEFAULT 0",
        "turn INTEGER NOT NULL DEFAULT 1",
        "facts JSON",
        "hold VARCHAR(10) CONSTRAINT ck_outbox_hold CHECK (hold IN ('suspected', 'restored'))",
        "mailbox VARCHAR(320) DEFAULT '' NOT NULL",
    ),
    "sign_in_link": (
        "browser_hash VARCHAR(64)",
        "code VARCHAR(6)",
        "tries INTEGER NOT NULL DEFAULT 0",
        f"is_mailed {FLAG}",
    ),
}
INDEXES = {
    "assessment": ["started_at"],
    "booking": ["host_id starts_at", "created_at"],
    "lead": ["domain"],
    "outbox": [
        "state turn next_at",
        "state useless_after",
        "booking_id address",
        "address",
        "provider_id",
        "mailbox created_at",
    ],
}
KEY = re.compile(r"(?P<uid>[0-9a-f]{32}):(?P<what>\w+)(:(?P<sequence>\d+))?")
OCCASIONS = {"booked": "call", "missed": "wanted-call", "wrote": "message", "result": "result"}
OPEN = "('pending', 'held', 'sending', 'failed', 'dead')"
RESTORED = "it waited when the backup was made, and may have been sent since"


def upgrade() -> None:
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    for table in NUMBERS_FOR_LIFE if is_sqlite else ():
        _make_anew(connection, table)
    for table, columns in COLUMNS.items():
        for column in columns:
            instant = "DATETIME" if is_sqlite else "TIMESTAMP WITH TIME ZONE"
            op.execute(f"ALTER TABLE {table} ADD COLUMN {column.format(instant=instant)}")
    op.drop_index("ix_booking_host_id", "booking")
    op.drop_index("ix_outbox_state_next_at", "outbox")
    for table, indexes in INDEXES.items():
        for names in map(str.split, indexes):
            op.create_index(f"ix_{table}_{'_'.join(names)}", table, names)
    op.create_index("ix_outbox_lower_address", "outbox", [sa.text("lower(address)")])
    _create_tables()
    _recreate_counts(connection)
    _find_leads(connection)
    _queue_emails(connection)


def _make_anew(connection: sa.Connection, name: str) -> None:
    """Copy a table into one with AUTOINCREMENT; `schema.migrate` has turned off foreign keys."""
    table, *indexes = connection.scalars(WITH_INDEXES, {"name": name}).all()
    made = table.replace("id INTEGER NOT NULL", "id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT", 1)
    made = made.replace(f"CONSTRAINT pk_{name} PRIMARY KEY (id),", "", 1)
    made = made.replace(f"CREATE TABLE {name}", "CREATE TABLE anew", 1)
    connection.exec_driver_sql(made)
    connection.exec_driver_sql(f"INSERT INTO anew SELECT * FROM {name}")
    connection.exec_driver_sql(f"DROP TABLE {name}")
    connection.exec_driver_sql(f"ALTER TABLE anew RENAME TO {name}")
    for index in indexes:
        connection.exec_driver_sql(index)


def _create_tables() -> None:
    op.create_table(
        "demo_data",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("addresses", sa.JSON(), nullable=False),
        sa.Column("records", sa.JSON(), nullable=False),
        sa.CheckConstraint("id = 1", name="one_row"),
    )
    op.create_table(
        "retention_plan",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name="one_row"),
    )
    member = sa.ForeignKey("member.id", name="fk_passkey_member_id_member", ondelete="CASCADE")
    op.create_table(
        "passkey",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("member_id", sa.Integer(), member, nullable=False, index=True),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("credential_id", sa.String(1400), nullable=False, unique=True),
        sa.Column("public_key", sa.String(2000), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sqlite_autoincrement=True,
    )


def _recreate_counts(connection: sa.Connection) -> None:
    """Count the funnel by source and kind of call, too; existing counts have no known source."""
    columns = (sa.column("week", sa.Date()), *map(sa.column, ("article", "what", "number")))
    counted = connection.execute(sa.select(sa.table("funnel_count", *columns))).all()
    op.drop_table("funnel_count")
    table = op.create_table(
        "funnel_count",
        sa.Column("week", sa.Date(), primary_key=True),
        sa.Column("way", sa.String(20), primary_key=True),
        sa.Column("name", sa.String(120), primary_key=True),
        sa.Column("what", sa.String(40), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.CheckConstraint("number >= 0", name="number"),
    )
    names = ("week", "name", "what", "number")
    rows = [{"way": "article"} | dict(zip(names, one, strict=True)) for one in counted]
    op.bulk_insert(table, rows)


def _find_leads(connection: sa.Connection) -> None:
    """Make leads searchable by their phone number, and store their company's domain."""
    for id, address, phone, sought in connection.execute(
        sa.text("SELECT id, address, phone, sought FROM lead")
    ).all():
        known = (sought, phone.casefold(), tel_number(phone))
        found = {"sought": "\n".join(filter(None, known)), "domain": company_domain(address)}
        _update(connection, "lead", id, **found)


def _queue_emails(connection: sa.Connection) -> None:
    """Give emails their turn and booking, and turn stored drafts into intents."""
    op.execute("UPDATE outbox SET turn = 0 WHERE kind = 'sign_in'")
    op.execute("UPDATE outbox SET turn = 2 WHERE due_at > created_at")
    op.execute("UPDATE outbox SET turn = 3 WHERE turn > 0 AND attempts > 0")
    op.execute(f"UPDATE outbox SET facts = '{{}}' WHERE body IS NOT NULL AND state IN {OPEN}")
    of_backup = f"state = 'held' AND reason = '{RESTORED}'"
    op.execute(f"UPDATE outbox SET hold = 'restored', reason = '' WHERE {of_backup}")
    op.execute("UPDATE outbox SET hold = 'suspected' WHERE state = 'held' AND hold IS NULL")
    _name_bookings(connection)
    _turn_drafts_into_intents(connection)


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
            _update(connection, "outbox", row.id, booking_id=booking.id, sequence=number)


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
        _update(connection, "outbox", row.id, facts=json.dumps(facts), body=None)


def _update(connection: sa.Connection, table: str, id: int | str, **values: object) -> None:
    columns = ", ".join(f"{name} = :{name}" for name in values)
    statement = sa.text(f"UPDATE {table} SET {columns} WHERE id = :id")
    connection.execute(statement, values | {"id": id})
