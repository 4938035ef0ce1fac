"""The feed of a host's calls, a calendar to subscribe to at a secret link.

The link is derived from the secret, the host and the version of their feed: raising the version
invalidates it and makes another. It contains visitors' names, so it is for the host alone.
"""

import hmac
from datetime import timedelta

from flask import Blueprint, Response, abort
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from ... import clock
from ...settings import Settings
from ...web.context import context
from ...web.tokens import derived_token
from .. import emails, invitations
from ..models import Booking, coming
from .models import Host

PAST = timedelta(days=60)  # age of calls that the feed still contains

blueprint = Blueprint("agenda", __name__, url_prefix="/calendar")


@blueprint.get("/<token>/calls.ics")
def calls(token: str) -> Response:
    """Return the calls of one host as a calendar file, without canceled ones."""
    settings, now = context().settings, clock.now()
    with context().database.read() as session:
        host = _find_host(session, settings, token) or abort(404)
        query = select(Booking).where(Booking.host_id == host.id, *coming(now - PAST))
        found = session.scalars(query.order_by(Booking.starts_at).options(joinedload(Booking.host)))
        meetings = [emails.hosts_meeting(settings, booking, now) for booking in found]
    name = f"Calls of {host.name}"
    return Response(invitations.agenda(name, meetings), content_type="text/calendar; charset=utf-8")


def feed_link(settings: Settings, host: Host) -> str:
    """Return the address that a host subscribes to."""
    return settings.link(f"/calendar/{_feed_token(settings, host)}/calls.ics")


def _feed_token(settings: Settings, host: Host) -> str:
    return derived_token(settings.secret, "agenda", f"{host.id}:{host.feed_version}")


def _find_host(session: Session, settings: Settings, token: str) -> Host | None:
    """Find the active host of a link; every token is compared in constant time."""
    given = token.encode()
    hosts = session.scalars(select(Host).where(Host.is_active))
    found = [
        one for one in hosts if hmac.compare_digest(_feed_token(settings, one).encode(), given)
    ]
    return found[0] if found else None
