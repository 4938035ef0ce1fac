"""The page of one lead, and what a member can do there."""

from flask import abort, flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import update
from sqlalchemy.orm import Session

from .. import clock, leads, privacy
from ..book.models import Booking
from ..context import context
from ..emails import outbox
from ..leads import Lead
from . import dossier, words
from .blueprint import blueprint, zone_of_the_desk


@blueprint.get("/leads/<int:lead_id>/")
def lead(lead_id: int) -> str:
    """Show a lead: what to know for the call first, then all that happened."""
    with context().database.read() as session:
        found = dossier.gather(
            session,
            _find(session, lead_id),
            context().published,
            clock.now(),
            zone_of_the_desk(session),
        )
        return render_template("desk/lead.html", dossier=found, lead=found.lead, words=words)


@blueprint.post("/leads/<int:lead_id>/release")
def release(lead_id: int) -> ResponseReturnValue:
    """Lift the quarantine of a lead and its calls, and let their mails go."""
    now, member_id = clock.now(), g.desk.member_id

    def work(session: Session) -> None:
        lead = _find(session, lead_id, lock=True)
        suspected = update(Booking).where(Booking.lead_id == lead.id, Booking.quarantine)
        bookings = session.execute(suspected.values(quarantine=False)).rowcount
        mails = outbox.release(session, lead.id, now)
        if lead.quarantine or bookings or mails:
            lead.quarantine = False
            leads.record(session, lead, "released", now, member=member_id)

    context().database.write(work)
    flash("Released. The mails that were held back are on their way.")
    return redirect(url_for(".lead", lead_id=lead_id), 303)


@blueprint.get("/leads/<int:lead_id>/erase")
def erase(lead_id: int) -> str:
    """Ask whether this is meant, and say what it comes to; nothing is erased by looking."""
    with context().database.read() as session:
        lead, now = _find(session, lead_id), clock.now()
        coming = [
            call
            for call in dossier.calls_of(session, lead)
            if call.is_live and call.starts_at > now
        ]
        return render_template("desk/erase.html", lead=lead, coming=coming)


@blueprint.post("/leads/<int:lead_id>/erase")
def erase_submit(lead_id: int) -> ResponseReturnValue:
    """Erase everything held about the lead's address."""
    with context().database.read() as session:
        address = _find(session, lead_id).address
    privacy.erase_everywhere(context().database, context().settings, address, clock.now())
    flash("Erased. Only a mark remains, from which the address cannot be read.")
    return redirect(url_for(".inbox"), 303)


def _find(session: Session, lead_id: int, *, lock: bool = False) -> Lead:
    # An id beyond what the column holds is an error on PostgreSQL; it is nobody's, so: 404.
    if lead_id >= 2**31:
        abort(404)
    return session.get(Lead, lead_id, with_for_update=True if lock else None) or abort(404)
