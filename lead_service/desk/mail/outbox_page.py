"""The outbox page: every mail with its state, and, on this machine only, what it says."""

import re

from flask import abort, render_template, request
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ... import clock
from ...emails import admin_actions, status
from ...emails.message import Message, from_json
from ...emails.models import EmailState, OutboxMessage
from ...emails.outbox import NEVER_KEPT
from ...web.context import context
from .. import labels
from ..blueprint import blueprint
from ..pagination import newest_first
from . import mail_status
from .html_to_text import html_to_text


@blueprint.get("/outbox/", endpoint="outbox")
def mails() -> str:
    """List the mails, the newest first; `state` shows those that stand in one way only."""
    state, before, now = request.args.get("state", ""), request.args.get("before"), clock.now()
    query = select(OutboxMessage)
    if state:
        query = query.where((mail_status.BY_NAME.get(state) or abort(404)).where)
    # What rings stands in the order in which it began to: the index of the few finds them.
    order = OutboxMessage.alarm_at if state == "attention" else OutboxMessage.created_at
    with context().database.read() as session:
        page = newest_first(session, query, order, OutboxMessage.id, before)
        health = status.health(session, now)
        return render_template(
            "desk/mail/outbox.html",
            mails=page.rows,
            following=page.following,
            is_first=before is None,
            state=state,
            counts=mail_status.counts(session, health.is_paused),
            health=health,
            retrying=_retrying(session) if not health.is_paused else 0,
            standing=mail_status,
            words=labels,
        )


@blueprint.get("/outbox/<mail_id>/")
def mail(mail_id: str) -> str:
    """Show one mail: how it stands, what can be done, and in local mode what it says."""
    now = clock.now()
    with context().database.read() as session:
        found = session.get(OutboxMessage, mail_id) or abort(404)
        can_retry = select(OutboxMessage.id).where(
            OutboxMessage.id == found.id, admin_actions.can_retry(now)
        )
        message = _readable(found)
        return render_template(
            "desk/mail/email.html",
            mail=found,
            can_retry=session.scalar(can_retry) is not None,
            is_paused=(health := status.health(session, now)).is_paused,
            health=health,
            message=message,
            parts=_with_own_links(message.text) if message else [],
            html_text=html_to_text(message.html) if message else "",
            words=labels,
        )


def _retrying(session: Session) -> int:
    """Count the mails that wait for another try."""
    waits = admin_actions.can_retry(clock.now()) & (OutboxMessage.state == EmailState.PENDING)
    return session.scalar(select(func.count()).where(waits)) or 0


def _readable(mail: OutboxMessage) -> Message | None:
    """Return what may be read of a mail: nothing in production, and never a key to the desk."""
    is_shown = context().settings.is_local and mail.kind not in NEVER_KEPT
    return from_json(mail.body) if is_shown and mail.body else None


def _with_own_links(text: str) -> list[tuple[str, bool]]:
    """Split a text at the addresses of this very site: those may be links, a visitor's not."""
    own = re.escape(context().settings.public_url)
    return [(part, bool(number % 2)) for number, part in enumerate(re.split(rf"({own}\S*)", text))]
