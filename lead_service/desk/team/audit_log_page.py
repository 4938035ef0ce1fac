"""The audit log, for admins: every change to leads, people and settings, newest first."""

import csv
import io
import json

from flask import Response, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from ...accounts.audit_log import Actor, AuditEntry, AuditKind
from ...web.context import context
from ..blueprint import admins_only, blueprint, write
from ..leads.inbox import member_names
from ..pagination import newest_first
from .subjects import names_of

LONGEST_SUBJECT = 60


@blueprint.get("/trail.csv")
@admins_only
def trail_csv() -> Response:
    """Return the whole audit log as CSV, oldest first, with ids and kinds as stored."""
    text = io.StringIO()
    row = csv.writer(text, lineterminator="\r\n").writerow
    row(("at", "member", "what", "subject", "detail"))

    def note(session: Session, by: Actor) -> None:
        by.note(session, AuditKind.TRAIL_EXPORTED, "trail")
        session.flush()
        for one in session.scalars(select(AuditEntry).order_by(AuditEntry.id)):
            detail = json.dumps(one.detail)
            row((one.at.isoformat(), one.member_id, one.what, one.subject, detail))

    write(note)
    answer = Response(text.getvalue(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="audit-log.csv"'
    return answer


@blueprint.get("/trail/")
@admins_only
def trail() -> str:
    """List the changes; `about` shows those of one subject, such as "lead 5"."""
    about, before = request.args.get("about", "")[:LONGEST_SUBJECT], request.args.get("before")
    query = select(AuditEntry)
    if about:
        query = query.where(AuditEntry.subject == about)
    with context().database.read() as session:
        page = newest_first(session, query, AuditEntry.at, AuditEntry.id, before)
        names = member_names(session)
        named = names_of(session, [about, *(one.subject for one in page.rows)])
    return render_template(
        "desk/team/audit_log.html",
        entries=page.rows,
        following=page.following,
        is_first=before is None,
        about=about,
        names=names,
        named=named,
    )
