"""Act on leads from the inbox, by one row or all selected ones, and save its filters."""

from collections.abc import Callable, Iterable
from functools import partial
from urllib.parse import parse_qsl, urlencode

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from ... import clock
from ...accounts.audit_log import Actor
from ...accounts.members import Member
from ...book import bookings, held
from ...db.base import row_id
from ...leads.models import Lead, Stage
from ...web.context import context
from ...web.fields import clean
from ..blueprint import blueprint, write
from ..pagination import PAGE
from . import lead_updates
from .filters import LeadFilter

Act = Callable[[Session, Lead, Actor], object]
NAMED = 5  # leads in a message
OF_A_ROW = ("take", "done")  # buttons with these names have a lead's id as value
MOST_VIEWS, LONGEST_NAME = 12, 40


@blueprint.post("/leads/bulk")
def change_leads() -> ResponseReturnValue:
    """Apply an action to each lead in the form, and redirect to the view.

    Marking spam needs a confirmation on a separate page.
    """
    ids, act = _asked()
    if request.form.get("do") == "spam" and ids:
        view = request.form.get("back") or None
        return redirect(url_for(".ask_spam", lead=ids, back=view), 303)
    done, stale = 0, []
    if act:
        for id in ids:
            try:
                done += write(partial(_change_one, id, act))
            except lead_updates.StaleLead:
                stale.append(id)
    nothing = "Nothing was changed." if ids else "Nothing was changed: select leads first."
    told = f"Changed {_count(done, 'lead')}." if done else nothing
    flash(f"{told}{left(stale)}")
    return redirect(url_for(".inbox", **view_in_form().address), 303)


def left(ids: list[int]) -> str:
    """Name the leads that were left because someone else changed them; a cookie holds the text."""
    if not ids:
        return ""
    with context().database.read() as session:
        leads = session.scalars(select(Lead).where(Lead.id.in_(ids)).order_by(Lead.id).limit(NAMED))
        names = [(lead.name or lead.email)[:40] for lead in leads]
    if len(ids) > NAMED:
        names.append(f"{len(ids) - NAMED} more")
    it = "it" if len(ids) == 1 else "them"
    now = "as it is now" if len(ids) == 1 else "as they are now"
    why = f"because someone else changed {it} after you opened the list."
    return f" Left {', '.join(names)} {now}, {why}"


def view_in_form() -> LeadFilter:
    """Return the view of the form's page; 404 for an invalid one."""
    return LeadFilter.read(dict(parse_qsl(request.form.get("back", "")[:500])))


def _asked() -> tuple[list[int], Act | None]:
    """Return the ids of the leads, in the order in which they are locked, and the action."""
    name = next((name for name in OF_A_ROW if name in request.form), "")
    texts = [request.form[name]] if name else request.form.getlist("lead")
    return lead_ids(texts), ACTS.get(name or request.form.get("do", ""))


def lead_ids(texts: Iterable[str]) -> list[int]:
    """Return the valid lead ids among some texts, at most a page of them."""
    return sorted({row_id(one) for one in texts} - {0})[:PAGE]


def _change_one(id: int, act: Act, session: Session, by: Actor) -> bool:
    lead = session.get(Lead, id, with_for_update=True)
    return lead is not None and bool(act(session, lead, by))


def is_stale(lead: Lead) -> bool:
    """Say whether the lead has changed since the form was shown."""
    shown = f"{lead.id}-"
    seen = [one for one in request.form.getlist("seen") if one.startswith(shown)]
    return bool(seen) and f"{shown}{lead.version}" not in seen


def _change(session: Session, lead: Lead, values: lead_updates.LeadUpdate, by: Actor) -> bool:
    """Set values, unless the lead has changed since the list was shown; then raise StaleLead."""
    present = lead_updates.update_of(lead)
    seen = None if is_stale(lead) else present
    return lead_updates.save(session, lead, present | values, seen, by)


def _take(session: Session, lead: Lead, by: Actor) -> bool:
    if lead.owner_id not in (None, by.member_id):
        raise lead_updates.StaleLead(["owner_id"], {"owner_id"})
    return lead_updates.change(session, lead, {"owner_id": by.member_id}, by)


def _done(session: Session, lead: Lead, by: Actor) -> bool:
    nothing = {"next_action": "", "next_action_on": None}
    return _change(session, lead, nothing, by)


def _stage(session: Session, lead: Lead, by: Actor) -> bool:
    asked = request.form.get("stage", "")
    return asked in [*Stage] and _change(session, lead, {"stage": Stage(asked)}, by)


def _owner(session: Session, lead: Lead, by: Actor) -> bool:
    owner_id = row_id(request.form.get("owner", ""))
    member = session.get(Member, owner_id)
    if owner_id and (member is None or member.removed_at):
        return False
    return _change(session, lead, {"owner_id": owner_id or None}, by)


def release(session: Session, lead: Lead, by: Actor) -> int:
    """Release a lead, unless it has changed since it was shown; then raise StaleLead."""
    if lead.quarantine and is_stale(lead):  # a second click is no conflict
        raise lead_updates.StaleLead([], set())
    return lead_updates.release(session, lead, by)


def _release(session: Session, lead: Lead, by: Actor) -> bool:
    was_held = lead.quarantine
    return bool(release(session, lead, by)) or was_held


ACTS: dict[str, Act] = {
    "take": _take,
    "done": _done,
    "stage": _stage,
    "owner": _owner,
    "release": _release,
}


@blueprint.post("/leads/views")
def save_view() -> ResponseReturnValue:
    """Save the page's filters under a name, or remove those with the name.

    A search isn't saved: it may be a person's name, which an erasure would miss.
    """
    view, name = view_in_form(), " ".join(clean(request.form.get("name")).split())[:LONGEST_NAME]
    query, is_removed = urlencode(view.address), "remove" in request.form

    def work(session: Session, by: Actor) -> None:
        member = session.get_one(Member, by.member_id, with_for_update=True)
        others = [one for one in member.views or () if query != one["query"]]
        added = [] if is_removed else [{"name": name, "query": query}]
        member.views = [*others, *added][-MOST_VIEWS:]

    if query and (is_removed or (name and not view.asked)):
        write(work)
        flash("Removed." if is_removed else "Saved. You\u2019ll find it with the other views.")
    return redirect(url_for(".inbox", **view.address), 303)


@blueprint.get("/leads/spam/")
def ask_spam() -> str:
    """Ask for confirmation that the leads are spam; 404 if there are none."""
    ids = lead_ids(request.args.getlist("lead"))
    with context().database.read() as session:
        leads = session.scalars(select(Lead).where(Lead.id.in_(ids)).order_by(Lead.id)).all()
        calls = bookings.coming_calls(session, ids, clock.now())
        page = "desk/leads/spam.html"
        return render_template(page, leads=leads, calls=calls) if leads else abort(404)


@blueprint.post("/leads/spam/")
def mark_spam() -> ResponseReturnValue:
    """Close the leads as lost, cancel their calls and emails, and redirect to the view.

    Leads that have changed, or have other calls than the page listed, are left.
    """
    marked, stale = [], []
    for id in lead_ids(request.form.getlist("lead")):
        try:
            marked.append(write(partial(_mark, id)))
        except lead_updates.StaleLead:
            stale.append(id)
    canceled = [one for one in marked if one is not None]
    told = f"Marked {_count(len(canceled), 'lead')} as spam"
    calls = f" and canceled {_count(sum(canceled), 'call')}" if sum(canceled) else ""
    done = f"{told}{calls}. To find spam again, filter by the stage Lost."
    flash(f"{done if canceled else 'Nothing was changed.'}{left(stale)}")
    return redirect(url_for(".inbox", **view_in_form().address), 303)


def _mark(id: int, session: Session, by: Actor) -> int | None:
    """Mark one lead as spam; return how many calls were canceled, None if it is gone."""
    coming = bookings.coming_calls(session, [id], by.at)
    unseen = {f"{one.id}-{one.sequence}" for one in coming} - {*request.form.getlist("call")}
    calls = held.cancel_spam(session, context().settings, id, by)  # locks their hosts first
    lead = session.get(Lead, id, with_for_update=True)
    if lead is None:
        return None
    is_marked = lead.quarantine and lead.stage == Stage.LOST  # a second click is no conflict
    if "seen" in request.form and (unseen or (is_stale(lead) and not is_marked)):
        raise lead_updates.StaleLead([], set())
    lead_updates.mark_as_spam(session, lead, by, calls_canceled=calls)
    return calls


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"
