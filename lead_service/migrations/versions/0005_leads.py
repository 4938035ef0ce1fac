"""Working on leads: owner, next action, notes, what to sort and search by, and the audit trail."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

UNOWNED = "owner_id IS NULL AND stage NOT IN ('won', 'lost')"
AT_ONCE = 500


def upgrade() -> None:
    _lead()
    _derive()
    _lead_indexes()
    _note()
    _audit()


def _lead() -> None:
    # No batch: SQLite would make the table anew, and dropping the old one empties what refers
    # to it. Each column may be null or has a default, so none needs a new table.
    for column in (
        sa.Column("next_action", sa.String(length=200), nullable=False, server_default=""),
        sa.Column("next_action_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("bounced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sort_name", sa.String(length=80), nullable=False, server_default=""),
        sa.Column("sought", sa.Text(), nullable=False, server_default=""),
    ):
        op.add_column("lead", column)
    # In SQL, which both databases take: Alembic cannot add a column with its reference on SQLite.
    op.execute(
        "ALTER TABLE lead ADD COLUMN owner_id INTEGER"
        " CONSTRAINT fk_lead_owner_id REFERENCES member (id)"
    )


def _derive() -> None:
    """Fill the derived columns in Python, because neither database folds case like it."""
    lead = sa.table(
        "lead",
        *map(sa.column, ("id", "name", "company", "email", "address", "sort_name", "sought")),
    )
    change = lead.update().where(lead.c.id == sa.bindparam("which"))
    change = change.values(sort_name=sa.bindparam("sort_name"), sought=sa.bindparam("sought"))
    connection, last = op.get_bind(), 0
    some = sa.select(lead).order_by(lead.c.id).limit(AT_ONCE)
    while rows := connection.execute(some.where(lead.c.id > last)).all():
        connection.execute(change, [_derived(row) for row in rows])
        last = rows[-1].id


def _derived(row) -> dict:
    known = (row.name, row.company, row.email, row.address)
    return {
        "which": row.id,
        "sort_name": (row.name or row.email).casefold()[:80],
        "sought": "\n".join(one.casefold() for one in known if one),
    }


def _lead_indexes() -> None:
    for columns in (
        ("stage", "touched_at"),
        ("owner_id", "touched_at"),
        ("next_action_on",),
        ("created_at",),
        ("sort_name",),
    ):
        op.create_index(op.f(f"ix_lead_{'_'.join(columns)}"), "lead", columns)
    for name, where, on_sqlite in (
        ("ix_lead_unowned", UNOWNED, UNOWNED),
        ("ix_lead_suspected", "quarantine", "quarantine = 1"),
        ("ix_lead_bounced", "bounced_at IS NOT NULL", "bounced_at IS NOT NULL"),
    ):
        op.create_index(
            name,
            "lead",
            ["touched_at"],
            postgresql_where=sa.text(where),
            sqlite_where=sa.text(on_sqlite),
        )


def _note() -> None:
    op.create_table(
        "note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lead_id"], ["lead.id"], name=op.f("fk_note_lead_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_note_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
    )
    op.create_index(op.f("ix_note_lead_id"), "note", ["lead_id"])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=60), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_audit_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    for column in ("at", "member_id", "subject"):
        op.create_index(op.f(f"ix_audit_{column}"), "audit", [column])
