"""Store the company's domain of each lead, to find its colleagues."""

import sqlalchemy as sa
from alembic import op

from lead_service.leads.company import FREE_DOMAINS, FREE_NAMES

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    op.add_column(
        "lead", sa.Column("domain", sa.String(length=255), nullable=False, server_default="")
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    domain = (
        "substr(address, instr(address, '@') + 1)" if is_sqlite else "split_part(address, '@', 2)"
    )
    op.execute(f"UPDATE lead SET domain = {domain}")
    lead = sa.table("lead", sa.column("domain", sa.String))
    free = sa.or_(
        lead.c.domain.in_(sorted(FREE_DOMAINS)),
        *(lead.c.domain.startswith(f"{name}.") for name in sorted(FREE_NAMES)),
    )
    op.execute(lead.update().where(free).values(domain=""))
    op.create_index(op.f("ix_lead_domain"), "lead", ["domain"])
