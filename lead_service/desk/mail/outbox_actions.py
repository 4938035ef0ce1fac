"""What a member does about mails: try again, take back, note as seen, go on after a stop.

Each change is made by a condition of the database's, so that two clicks, two members or the
deliver process that is just at it come to the same as one, and each is in the audit trail.
"""

import re
from collections.abc import Callable

from flask import flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ... import clock
from ...accounts import audit_log
from ...accounts.audit_log import AuditKind
from ...emails import admin_actions, outbox
from ...web.context import context
from ..blueprint import blueprint
from ..pagination import PAGE
from .mail_status import BY_NAME

ID = re.compile(r"\b[0-9a-f]{32}\b")
NOTHING = "Nothing had to be done: somebody was faster, or it is too late."


@blueprint.post("/outbox/retry")
def mail_retry() -> ResponseReturnValue:
    """Send mails once more that failed or were given up."""
    now = clock.now()
    done = _each(AuditKind.MAIL_RETRIED, lambda session, id: admin_actions.retry(session, id, now))
    flash(f"On the way again: {_mails(done)}." if done else NOTHING)
    return _back()


@blueprint.post("/outbox/take-back")
def mail_take_back() -> ResponseReturnValue:
    """Take back mails that wait."""
    done = _each(AuditKind.MAIL_TAKEN_BACK, admin_actions.cancel)
    flash(f"Taken back: {_mails(done)}." if done else NOTHING)
    return _back()


@blueprint.post("/outbox/seen")
def mail_seen() -> ResponseReturnValue:
    """Note that somebody knows of failures, so that their alarm ends."""
    done = _each(
        AuditKind.MAIL_SEEN, lambda session, id: bool(admin_actions.acknowledge(session, [id]))
    )
    flash(f"Noted as seen: {_mails(done)}." if done else NOTHING)
    return _back()


@blueprint.post("/outbox/resume")
def mail_resume() -> ResponseReturnValue:
    """Lift a stop or a pause, and let what waits for another try leave now."""
    now, member_id = clock.now(), g.desk.member_id

    def work(session: Session) -> int:
        outbox.resume(session)
        waiting = admin_actions.retry_waiting(session, now)
        audit_log.note(session, member_id, AuditKind.SENDING_RESUMED, "outbox", now, mails=waiting)
        return waiting

    context().database.write(work)
    flash("Sending goes on. If the provider refuses again, it stops again and says so here.")
    return _back()


def _each(what: AuditKind, do: Callable[[Session, str], bool]) -> int:
    """Do it to each mail that the form names; return for how many it could be done."""
    ids = dict.fromkeys(ID.findall(request.form.get("mails", "")))
    now, member_id = clock.now(), g.desk.member_id

    def work(session: Session) -> int:
        done = [id for id in sorted(ids)[:PAGE] if do(session, id)]
        for id in done:
            audit_log.note(session, member_id, what, f"mail {id}", now)
        return len(done)

    return context().database.write(work)


def _mails(number: int) -> str:
    return "one mail" if number == 1 else f"{number} mails"


def _back() -> ResponseReturnValue:
    """Return to where the button stood: the page of one mail, or a list."""
    ids, state = ID.findall(request.form.get("mails", "")), request.form.get("state", "")
    if len(ids) == 1 and "state" not in request.form:
        return redirect(url_for(".mail", mail_id=ids[0]), 303)
    return redirect(url_for(".outbox", state=state if state in BY_NAME else None), 303)
