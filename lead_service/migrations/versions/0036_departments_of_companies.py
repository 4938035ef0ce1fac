"""Store the company's domain for its subdomains, too: acme.com for eu.acme.com."""

import sqlalchemy as sa
from alembic import op

from lead_service.leads.company import company_domain

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    lead, bind = sa.table("lead", sa.column("domain", sa.String)), op.get_bind()
    query = sa.select(lead.c.domain).where(lead.c.domain.like("%.%.%")).distinct()
    for domain in bind.scalars(query).all():
        company = company_domain(f"@{domain}")
        bind.execute(lead.update().where(lead.c.domain == domain).values(domain=company))
