"""The audit trail, for admins: every change to leads, people and settings, the newest first."""

from flask import render_template, request
from sqlalchemy import select

from ...accounts.audit_log import AuditEntry
from ...web.context import context
from .. import labels
from ..blueprint import admins_only, blueprint
from ..leads.inbox import member_names
from ..pagination import newest_first

LONGEST_SUBJECT = 60


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
    return render_template(
        "desk/team/audit_log.html",
        entries=page.rows,
        following=page.following,
        is_first=before is None,
        about=about,
        names=names,
        words=labels,
    )
