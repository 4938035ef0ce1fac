"""Run migrations on the connection, and in the transaction, that `schema.migrate` opened.

Add columns without batch mode, in which SQLite rebuilds the table and empties what refers to it.
"""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from lead_service.db.base import UtcDateTime
from lead_service.db.schema import tables


def render_item(kind: str, item: object, _context: AutogenContext) -> str | Literal[False]:
    """Render UtcDateTime as a plain DateTime, because migrations outlive our classes."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=tables(),
    transactional_ddl=True,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
