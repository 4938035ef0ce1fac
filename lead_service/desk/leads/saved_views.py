"""Save filters of the inbox under a name, for the member alone."""

from urllib.parse import urlencode

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ...accounts.audit_log import Actor
from ...accounts.members import Member
from ...web.fields import clean
from ..blueprint import blueprint, write
from .bulk_actions import view_in_form

MOST, LONGEST = 12, 40


@blueprint.post("/leads/views")
def save_view() -> ResponseReturnValue:
    """Save the page's filters under a name, or remove those with the name.

    A search isn't saved: it may be a person's name, which an erasure would miss.
    """
    view, name = view_in_form(), " ".join(clean(request.form.get("name")).split())[:LONGEST]
    query, is_removed = urlencode(view.address), "remove" in request.form

    def work(session: Session, by: Actor) -> None:
        member = session.get_one(Member, by.member_id, with_for_update=True)
        others = [one for one in member.views or () if query != one["query"]]
        member.views = others if is_removed else [*others, {"name": name, "query": query}][-MOST:]

    if query and (is_removed or (name and not view.asked)):
        write(work)
        flash("Removed." if is_removed else "Saved. You\u2019ll find it under Views.")
    return redirect(url_for(".inbox", **view.address), 303)
