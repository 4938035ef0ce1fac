"""The desk's blueprint: all its pages require a live session, except those for signing in."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlencode

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

# Views that need no session.
OPEN = {
    "desk.sign_in",
    "desk.sign_in_submit",
    "desk.sign_in_sent",
    "desk.link",
    "desk.link_submit",
    "desk.passkey_challenge",
    "desk.sign_in_by_passkey",
}
# The desk's navigation: place, label and route.
PLACES = (
    ("leads", "Leads", "desk.inbox"),
    ("calls", "Calls", "desk.calls"),
    ("availability", "Availability", "desk.availability"),
    ("outbox", "Emails", "desk.outbox"),
    ("funnel", "Funnel", "desk.funnel"),
    ("team", "Team", "desk.team"),
)
COOKIE = "desk"  # the session's id, in Flask's signed cookie
WANTED = "wanted_page"  # the address of the page requested before signing in
LONGEST_QUERY = 500

View = TypeVar("View", bound=Callable)
Result = TypeVar("Result")


def admins_only(view: View) -> View:
    """Restrict a view to admins; use it below the route's decorator."""
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
    """Require the CSRF token for state changes (403), and a session for all other views."""
    if request.method in UNSAFE:
        csrf.protect()
    if request.endpoint in OPEN:
        return None
    g.desk = current_session()
    if g.desk:
        return _refuse_members()
    if request.method in UNSAFE:
        abort(403)
    # A long query would not fit into the cookie.
    query = urlencode(request.args) if len(request.query_string) <= LONGEST_QUERY else ""
    session[WANTED] = f"{request.path}?{query}".removesuffix("?")
    return redirect(url_for("desk.sign_in"), 303)


def _refuse_members() -> ResponseReturnValue | None:
    """Refuse views for admins to other members."""
    view = current_app.view_functions[request.endpoint or ""]
    if getattr(view, "admins_only", False) and not g.desk.member.is_admin:
        return render_template("desk/admins_only.html"), 403
    return None


def current_session() -> DeskSession | None:
    """Return the browser's live session with its member, or None."""
    if not (id := session.get(COOKIE)):
        return None
    now = clock.now()
    with context().database.read() as reading:
        found = sessions.live_session(reading, context().settings, id, now)
    if found and now - found.seen_at >= sessions.SEEN_EVERY:
        _note_use(found, now)
    return found


def _note_use(found: DeskSession, now: datetime) -> None:
    """Store the session's last use; errors are logged, since a full disk must not stop reading."""
    try:
        context().database.write(lambda writing: sessions.saw(writing, found.id, now))
    except (DBAPIError, StorageBusy) as error:
        log.warning("desk session %s not renewed: %s", found.id, type(error).__name__)


@blueprint.context_processor
def _shared() -> dict:
    """Return the template values of all desk pages: member, zone and problems with email."""
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
            "is_paused": health.is_paused,
            "is_demo": demo_data.is_there(reading),
        }


def acting() -> Actor:
    """Return the signed-in member as the actor of a change now."""
    return Actor(clock.now(), g.desk.member)


def write(work: Callable[[Session, Actor], Result]) -> Result:
    """Run a member's change in one transaction; the called function writes the audit log."""
    by = acting()
    return context().database.write(lambda session: work(session, by))


def desk_zone(reading: Session) -> str:
    """Return the zone in which the signed-in member reads times.

    By default it is their zone as a host, or else the first host's.
    """
    member: Member = g.desk.member
    is_own = func.lower(Host.email) == member.email
    zones = select(Host.zone).where(or_(Host.is_active, is_own)).order_by(is_own.desc(), Host.id)
    return member.zone or reading.scalar(zones.limit(1)) or "UTC"
