"""Run migrations on the connection, and in the transaction, that `schema.migrate` opened.

Add columns without batch mode, in which SQLite rebuilds the table and empties what refers to it.
"""

from alembic import context

from lead_service.db.base import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,  # with the names of constraints
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
