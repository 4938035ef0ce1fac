"""The link by which a lead whom we know books a call, on the desk and in emails.

People forward links, so it shows nobody who the lead is and what they answered: it brings a
reference, which attaches answers to a booking with the lead's own address only, and no source that
a member typed.
"""

from sqlalchemy.orm import Session

from ...assess.models import reference
from ...leads import touch
from ...leads.models import Lead
from ...settings import Settings
from ...web import carried
from .. import briefs
from ..models import Booking


def link_for(
    session: Session,
    settings: Settings,
    lead: Lead,
    path: str = "/book/",
    call: Booking | None = None,
) -> str:
    """Return the link to a page of times with a lead's answers, article and source.

    They are those of an earlier `call`, where it had any, or else the latest.
    """
    answers = briefs.choose(briefs.answered_by(session, [lead.id])[lead.id], call)
    touches = [one for one in (lead.last_touch, lead.first_touch) if one and "by_hand" not in one]
    came = touch.came_by(touches[0] if touches else None)
    if call and (call.came_from or call.source):
        came = (call.came_from, call.source)
    own = reference(answers, settings.secret) if answers else ""
    return settings.link(carried.with_context(path, own, *came))
