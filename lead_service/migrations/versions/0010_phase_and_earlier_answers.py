"""Store the phase that a visitor named, and which earlier assessment an assessment repeats."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("assessment", sa.Column("phase", sa.String(length=60), nullable=True))
    op.add_column("assessment", sa.Column("earlier_hash", sa.String(length=64), nullable=True))
