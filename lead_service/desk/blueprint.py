"""The desk's one door: nothing behind it answers without a live session."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from flask import (
    Blueprint,
    abort,
    current_app,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from sqlalchemy import func, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from .. import clock, formats
from ..accounts.audit_log import Actor
from ..accounts.members import DeskSession, Member
from ..book.hosts.models import Host
from ..db import demo_data
from ..db.engine import StorageBusy
from ..emails import status
from ..formats import tel_number
from ..formats import until as until_then
from ..web.context import context
from ..web.security import UNSAFE, csrf
from .auth import sessions

log = logging.getLogger(__name__)

blueprint = Blueprint("desk", __name__, url_prefix="/desk")

# The pages that need no session. All others do.
OPEN = {
    "desk.sign_in",
    "desk.sign_in_submit",
    "desk.sign_in_sent",
    "desk.link",
    "desk.link_submit",
    "desk.passkey_challenge",
    "desk.sign_in_by_passkey",
}
# The desk's navigation: the place that a page names, its label, its route.
PLACES = (
    ("leads", "Leads", "desk.inbox"),
    ("calls", "Calls", "desk.calls"),
    ("availability", "Availability", "desk.availability"),
    ("outbox", "Emails", "desk.outbox"),
    ("funnel", "Funnel", "desk.funnel"),
    ("team", "Team", "desk.team"),
)
COOKIE = "desk"  # the session's id, in Flask's signed cookie
WANTED = "wanted"  # the page that a stranger asked for: a route's name and its arguments
LONGEST_QUERY = 500

View = TypeVar("View", bound=Callable)
Result = TypeVar("Result")


def admins_only(view: View) -> View:
    """Mark a view that other members are refused; stands below the route."""
    view.admins_only = True  # type: ignore[attr-defined]
    return view


@blueprint.app_template_filter()
def moment(instant: datetime, zone: str) -> str:
    return formats.moment(instant, zone, clock.now())


@blueprint.app_template_filter()
def lately(instant: datetime, zone: str) -> str:
    return formats.lately(instant, zone, clock.now())


blueprint.add_app_template_filter(tel_number, "dialled")


@blueprint.app_template_filter()
def until(instant: datetime) -> str:
    return until_then(instant, clock.now())


@blueprint.before_request
def _guard() -> ResponseReturnValue | None:
    """Refuse a state change without the desk's token (403), and strangers everywhere but here."""
    if request.method in UNSAFE:
        csrf.protect()
    if request.endpoint in OPEN:
        return None
    g.desk = current_session()
    if g.desk:
        return _refuse_members()
    if request.method in UNSAFE:
        abort(403)
    session[WANTED] = [request.endpoint, _arguments()]
    return redirect(url_for("desk.sign_in"), 303)


def _arguments() -> dict:
    """Return what the page that was asked for is made with, a view's choices included.

    Names with a line in front are url_for's own; a long query would not fit into a cookie.
    """
    is_short = len(request.query_string) <= LONGEST_QUERY
    asked = request.args.items() if is_short else ()
    chosen = {name: value for name, value in asked if not name.startswith("_")}
    return chosen | (request.view_args or {})


def _refuse_members() -> ResponseReturnValue | None:
    """Refuse a member who is no admin what only admins may do."""
    view = current_app.view_functions[request.endpoint or ""]
    if getattr(view, "admins_only", False) and not g.desk.member.is_admin:
        return render_template("desk/admins_only.html"), 403
    return None


def current_session() -> DeskSession | None:
    """Return the live session of the browser that asks, with its member, or None."""
    if not (id := session.get(COOKIE)):
        return None
    now = clock.now()
    with context().database.read() as reading:
        found = sessions.live_session(reading, context().settings, id, now)
    if found and now - found.seen_at >= sessions.SEEN_EVERY:
        _note_use(found, now)
    return found


def _note_use(found: DeskSession, now: datetime) -> None:
    """Keep the session from idling out; with the disk full the desk must still be readable."""
    try:
        context().database.write(lambda writing: sessions.saw(writing, found.id, now))
    except (DBAPIError, StorageBusy) as error:
        log.warning("desk session %s not renewed: %s", found.id, type(error).__name__)


@blueprint.context_processor
def _shared() -> dict:
    """Give every page of the desk its member, its zone and the problems with email."""
    desk: DeskSession | None = g.get("desk")
    if desk is None:
        return {"member": None}
    with context().database.read() as reading:
        return {
            "member": desk.member,
            "places": PLACES,
            "zone": desk_zone(reading),
            "troubles": (health := status.health(reading, clock.now())).troubles,
            "unseen": health.unseen,
            "is_demo": demo_data.is_there(reading),
        }


def acting() -> Actor:
    """Return the member who asks, as the one who changes something now."""
    return Actor(clock.now(), g.desk.member)


def write(work: Callable[[Session, Actor], Result]) -> Result:
    """Run a member's change in one transaction; what it calls notes it in the audit log."""
    by = acting()
    return context().database.write(lambda session: work(session, by))


def desk_zone(reading: Session) -> str:
    """Return the zone in which the member who asks reads every time.

    Until they choose one, it is theirs as a host, or else the first host's.
    """
    member: Member = g.desk.member
    is_own = func.lower(Host.email) == member.email
    zones = select(Host.zone).where(or_(Host.is_active, is_own)).order_by(is_own.desc(), Host.id)
    return member.zone or reading.scalar(zones.limit(1)) or "UTC"
