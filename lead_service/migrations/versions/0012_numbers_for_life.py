"""Never reuse the ids of erased rows; people see them in addresses, emails and the audit log.

PostgreSQL's sequences never do. SQLite gives the id of an erased last row to the next one, unless
the table was created with AUTOINCREMENT.
"""

from alembic import op
from sqlalchemy import text

revision = "0012"
down_revision = "0011"

TABLES = ("lead", "booking", "assessment", "note", "member", "host")
WITH_INDEXES = text("SELECT sql FROM sqlite_master WHERE tbl_name = :name AND sql IS NOT NULL")


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in TABLES:
            _make_anew(name)


def _make_anew(name: str) -> None:
    """Copy a table into one with AUTOINCREMENT; `schema.migrate` has turned off foreign keys."""
    connection = op.get_bind()
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
