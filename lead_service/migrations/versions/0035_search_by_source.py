"""Make existing leads searchable by their source."""

import sqlalchemy as sa
from alembic import op

from lead_service.leads.touch import in_words

revision = "0035"
down_revision = "0034"
AT_ONCE = 1000


def upgrade() -> None:
    lead = sa.table(
        "lead",
        *(sa.column(name, sa.Integer if name == "id" else sa.Text) for name in ("id", "sought")),
        *(sa.column(name, sa.JSON) for name in ("first_touch", "last_touch")),
    )
    came = sa.or_(lead.c.first_touch.is_not(None), lead.c.last_touch.is_not(None))
    query, last, bind = (
        sa.select(lead).where(came).order_by(lead.c.id).limit(AT_ONCE),
        0,
        op.get_bind(),
    )
    while rows := bind.execute(query.where(lead.c.id > last)).all():
        for id, sought, first, latest in rows:
            sources = dict.fromkeys(filter(None, map(in_words, (first, latest))))
            if sources:
                text = "\n".join((sought, *sources))
                bind.execute(lead.update().where(lead.c.id == id).values(sought=text))
        last = rows[-1].id
