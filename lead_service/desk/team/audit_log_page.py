"""The audit log, for admins: every change to leads, people and settings, newest first."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from flask import Response, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from ...accounts.audit_log import Actor, AuditEntry, AuditKind
from ...accounts.members import Member
from ...book.hosts.models import Host
from ...book.models import Booking
from ...db.base import row_id
from ...emails.models import OutboxMessage
from ...leads.models import Lead, Stage
from ...web.context import context
from ..blueprint import admins_only, blueprint, write
from ..leads.inbox import member_names
from ..leads.lead_updates import FIELDS
from ..pagination import Order, page

LONGEST_SUBJECT = 60
PEOPLE: dict[str, Any] = {"lead": Lead, "member": Member, "host": Host, "call": Booking}


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
    about = request.args.get("about", "")[:LONGEST_SUBJECT]
    query = select(AuditEntry)
    if about:
        query = query.where(AuditEntry.subject == about)
    with context().database.read() as session:
        found = page(session, query, Order(AuditEntry.at, AuditEntry.id))
        names = member_names(session)
        named = _names_of(session, [about, *(one.subject for one in found.rows)])
    return render_template(
        "desk/team/audit_log.html",
        entries=found.rows,
        following=found.following,
        about=about,
        names=names,
        named=named,
        subject=_subject,
        details=_details,
    )


def _names_of(session: Session, subjects: Iterable[str]) -> dict[str, str]:
    """Map subjects such as "lead 5" to names, without erased ones."""
    ids: dict[str, set[str]] = defaultdict(set)
    for subject in subjects:
        kind, _, id = subject.partition(" ")
        ids[kind].add(id)
    emails = select(OutboxMessage).where(OutboxMessage.id.in_(ids["email"]))
    named = {f"email {one.id}": one.address for one in session.scalars(emails)}
    for kind, model in PEOPLE.items():
        for one in session.scalars(select(model).where(model.id.in_(map(row_id, ids[kind])))):
            named[f"{kind} {one.id}"] = one.name or one.email
    return named


def _subject(name: str) -> str:
    """Name the subject of a change, with an email's long id shortened."""
    kind, _, number = name.partition(" ")
    return f"{kind} {number[:8]}".strip().capitalize()


def _details(detail: dict, members: dict[int, str]) -> str:
    """Write the details of a change in the audit log in one line."""
    pairs = [name for name in ("stage", "owner") if f"to_{name}" in detail]
    shown = []
    for name in pairs:
        before, after = (_detail(name, detail[f"{end}_{name}"], members) for end in ("from", "to"))
        shown.append(f"{name}: {before} \u2192 {after}")
    told = {f"{end}_{name}" for name in pairs for end in ("from", "to")}
    said = {*pairs, *(f"{name}_id" for name in pairs)}
    for name, value in detail.items():
        if isinstance(value, list):
            value = ", ".join(FIELDS.get(one, str(one)).lower() for one in value if one not in said)
        if name not in told and value != "":
            shown.append(f"{name.replace('_', ' ')}: {_detail(name, value, members)}")
    return "; ".join(shown)


def _detail(name: str, value: object, members: dict[int, str]) -> str:
    if name.endswith("owner"):
        known = members.get(value) if isinstance(value, int) else None
        return known or (f"member {value}" if value else "no owner")
    if name == "stage":
        return Stage(str(value)).label
    return "none" if value is None else str(value)
