"""The outbox page: every mail with its state, and, on this machine only, what it says."""

import re

from flask import abort, render_template, request
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..context import context
from ..emails.lease import NEVER_KEPT
from ..emails.message import Message, from_json
from ..emails.models import STATES, OutboxMessage
from . import words
from .blueprint import blueprint
from .pager import newest_first
from .plain import text_of


@blueprint.get("/outbox/")
def outbox() -> str:
    """List the mails, the newest first; `state` shows those of one state only."""
    state, before = request.args.get("state", ""), request.args.get("before")
    query = select(OutboxMessage)
    if state:
        if state not in STATES:
            abort(404)
        query = query.where(OutboxMessage.state == state)
    with context().database.read() as session:
        page = newest_first(session, query, OutboxMessage.created_at, OutboxMessage.id, before)
        counts = _counts(session)
    return render_template(
        "desk/outbox.html",
        mails=page.rows,
        following=page.following,
        is_first=before is None,
        state=state,
        counts=counts,
        words=words,
    )


@blueprint.get("/outbox/<mail_id>/")
def mail(mail_id: str) -> str:
    """Show one mail: how it stands, and in local mode what it says."""
    with context().database.read() as session:
        found = session.get(OutboxMessage, mail_id) or abort(404)
    message = _readable(found)
    return render_template(
        "desk/mail.html",
        mail=found,
        message=message,
        parts=_with_own_links(message.text) if message else [],
        html_text=text_of(message.html) if message else "",
        words=words,
    )


def _counts(session: Session) -> dict[str, int]:
    query = select(OutboxMessage.state, func.count()).group_by(OutboxMessage.state)
    found = {state: count for state, count in session.execute(query)}
    return {state: found[state] for state in STATES if state in found}


def _readable(mail: OutboxMessage) -> Message | None:
    """Return what may be read of a mail: nothing in production, and never a key to the desk."""
    is_shown = context().settings.is_local and mail.kind not in NEVER_KEPT
    return from_json(mail.body) if is_shown and mail.body else None


def _with_own_links(text: str) -> list[tuple[str, bool]]:
    """Split a text at the addresses of this very site: those may be links, a visitor's not."""
    own = re.escape(context().settings.public_url)
    return [(part, bool(number % 2)) for number, part in enumerate(re.split(rf"({own}\S*)", text))]
