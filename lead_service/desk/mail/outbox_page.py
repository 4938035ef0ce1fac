"""The list of emails, with actions: retry, cancel, mark as seen, resume after a stop.

Each change is a conditional update, so that two clicks, two members or the deliver process have
the effect of one. Each is in the audit log.
"""

import logging
import re
from collections.abc import Callable, Sequence
from datetime import datetime

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ... import clock
from ...accounts.audit_log import Actor, AuditKind
from ...emails import admin_actions, outbox, status
from ...emails.message import Message
from ...emails.models import EmailState, OutboxMessage
from ...emails.outbox import NEVER_KEPT, NotNeeded
from ...headers import CONTENT_SECURITY_POLICY
from ...leads.models import Lead
from ...web.context import context
from ..blueprint import blueprint, write
from ..pagination import PAGE, Order, page
from . import mail_status
from .composers import composer
from .mail_status import BY_NAME

log = logging.getLogger(__name__)
ID = re.compile(r"\b[0-9a-f]{32}\b")
blueprint.add_app_template_filter(mail_status.status_of, "mail_status")
OF_THE_FRAME = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"
)
ACTIONS: dict[str, tuple[AuditKind, Callable[[Session, str, datetime], bool], str]] = {
    "retry": (AuditKind.MAIL_RETRIED, admin_actions.retry, "Sending {} again."),
    "take-back": (
        AuditKind.MAIL_TAKEN_BACK,
        lambda session, id, _now: admin_actions.cancel(session, id),
        "Canceled {}.",
    ),
    "seen": (
        AuditKind.MAIL_SEEN,
        lambda session, id, _now: bool(admin_actions.acknowledge(session, [id])),
        "Marked {} as seen.",
    ),
}
NOTHING = "Nothing was changed. Someone else already did this, or it is too late."


@blueprint.post("/outbox/<any(retry,'take-back',seen):action>")
def change_mails(action: str) -> ResponseReturnValue:
    """Send failed emails again, cancel waiting ones, or mark failures as seen."""
    what, act, told = ACTIONS[action]
    ids = dict.fromkeys(ID.findall(request.form.get("mails", "")))

    def work(session: Session, by: Actor) -> int:
        done = [id for id in sorted(ids)[:PAGE] if act(session, id, by.at)]
        for id in done:
            by.note(session, what, f"email {id}")
        return len(done)

    done = write(work)
    emails = "one email" if done == 1 else f"{done} emails"
    flash(told.format(emails) if done else NOTHING)
    return _back()


@blueprint.post("/outbox/resume")
def mail_resume() -> ResponseReturnValue:
    """Clear a stop or pause, and retry waiting emails now."""

    def work(session: Session, by: Actor) -> None:
        outbox.resume(session)
        waiting = admin_actions.retry_waiting(session, by.at)
        by.note(session, AuditKind.SENDING_RESUMED, "outbox", emails=waiting)

    write(work)
    flash(
        "Sending has resumed. If the provider refuses again, we\u2019ll stop, and this page will"
        " say so."
    )
    return _back()


def _back() -> ResponseReturnValue:
    """Redirect to the page of the button: one email, or a list."""
    ids, state = ID.findall(request.form.get("mails", "")), request.form.get("state", "")
    if len(ids) == 1 and "state" not in request.form:
        return redirect(url_for(".mail", mail_id=ids[0]), 303)
    return redirect(url_for(".outbox", state=state if state in BY_NAME else None), 303)


@blueprint.get("/outbox/", endpoint="outbox")
def mails() -> str:
    """List the emails, newest first; `state` shows only those in one state."""
    state, now = request.args.get("state", ""), clock.now()
    query = select(OutboxMessage)
    if state:
        query = query.where((mail_status.BY_NAME.get(state) or abort(404)).where)
    # Alarms are sorted by their start, with its index.
    by = OutboxMessage.alarm_at if state == "attention" else OutboxMessage.created_at
    with context().database.read() as session:
        found = page(session, query, Order(by, OutboxMessage.id))
        health = status.health(session, now)
        return render_template(
            "desk/mail/outbox.html",
            mails=found.rows,
            leads=leads_of(session, found.rows),
            following=found.following,
            state=state,
            counts=mail_status.counts(session, health.is_paused),
            health=health,
            retrying=_retrying(session) if not health.is_paused else 0,
            standing=mail_status,
        )


def leads_of(session: Session, mails: Sequence[OutboxMessage]) -> dict[int, Lead]:
    """Return the leads of emails, by id."""
    ids = {one.lead_id for one in mails if one.lead_id}
    return {lead.id: lead for lead in session.scalars(select(Lead).where(Lead.id.in_(ids)))}


@blueprint.get("/outbox/<mail_id>/html")
def mail_html(mail_id: str) -> Response:
    """Show an email as its reader sees it, in a sandboxed frame of its page."""
    with context().database.read() as session:
        found = session.get(OutboxMessage, mail_id) or abort(404)
        message, _ = _readable(session, found, clock.now())
    answer = Response((message or abort(404)).html)
    answer.headers["Content-Security-Policy"] = OF_THE_FRAME
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    return answer


@blueprint.get("/outbox/<mail_id>/")
def mail(mail_id: str) -> Response:
    """Show one email: its state, its actions, and in local mode its text."""
    now = clock.now()
    with context().database.read() as session:
        found = session.get(OutboxMessage, mail_id) or abort(404)
        can_retry = select(OutboxMessage.id).where(
            OutboxMessage.id == found.id, admin_actions.can_retry(now)
        )
        message, fault = _readable(session, found, now)
        page = render_template(
            "desk/mail/email.html",
            mail=found,
            lead=session.get(Lead, found.lead_id or 0),
            can_retry=session.scalar(can_retry) is not None,
            is_paused=(health := status.health(session, now)).is_paused,
            health=health,
            message=message,
            fault=fault,
            parts=_with_own_links(message.text) if message else [],
        )
    answer = Response(page)
    answer.headers["Content-Security-Policy"] = f"{CONTENT_SECURITY_POLICY}; frame-src 'self'"
    return answer


def _retrying(session: Session) -> int:
    """Count the emails that wait for a retry."""
    waits = admin_actions.can_retry(clock.now()) & (OutboxMessage.state == EmailState.PENDING)
    return session.scalar(select(func.count()).where(waits)) or 0


def _readable(session: Session, mail: OutboxMessage, now: datetime) -> tuple[Message | None, str]:
    """Return the readable content of an email, or why it can't be composed.

    None in production, and never a sign-in link. A waiting email is composed as it would be
    sent now.
    """
    has_text = mail.body or mail.facts is not None
    if not (context().settings.is_local and has_text) or mail.kind in NEVER_KEPT:
        return None, ""
    compose = composer(context().settings, context().published)
    try:
        return compose(session, mail, now), ""
    except NotNeeded as overtaken:
        return None, overtaken.reason
    except Exception as error:
        log.exception("email %s cannot be composed", mail.id)
        return None, f"it cannot be composed ({type(error).__name__})"


def _with_own_links(text: str) -> list[tuple[str, bool]]:
    """Split a text at links to this site; a visitor may have typed others."""
    own = re.escape(context().settings.public_url)
    return [(part, bool(number % 2)) for number, part in enumerate(re.split(rf"({own}\S*)", text))]
