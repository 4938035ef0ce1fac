"""Make existing leads searchable by the digits of their phone number."""

import sqlalchemy as sa
from alembic import op

from lead_service.formats import tel_number

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    names = ("id", "phone", "sought")
    lead = sa.table("lead", *(sa.column(name) for name in names))
    bind = op.get_bind()
    query = sa.select(*(lead.c[name] for name in names)).where(lead.c.phone != "")
    for id, phone, sought in bind.execute(query).all():
        if digits := tel_number(phone):
            text = f"{sought}\n{digits}"
            bind.execute(lead.update().where(lead.c.id == id).values(sought=text))
