"""Leads as files: a view as CSV, and one lead as JSON.

A spreadsheet must never run what a visitor typed as a formula. The CSV is that of RFC 4180, with
every field in quotes, so that a program which splits at semicolons still sees where a field
begins, and UTF-8 with a mark at the start, by which Excel knows it.
"""

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import takewhile

from flask import Response, jsonify, request
from sqlalchemy import select

from ... import clock
from ...accounts.audit_log import AuditKind, Detail
from ...assess.brief import Brief
from ...assess.diagnosis import Diagnosis
from ...book.models import Booking
from ...db.engine import Database
from ...leads.consent import Agreed, agreed_by
from ...leads.contact_details import LABELS
from ...leads.models import Consent, Lead, Note
from ...web.context import context
from .. import labels
from ..blueprint import admins_only, blueprint, desk_zone, write
from . import inbox, lead_detail, timeline
from .filters import LeadFilter
from .inbox import Entry
from .lead_page import find_lead_or_404

MARK = "\ufeff"
FORMULA = frozenset("=+-@\u2212")
CONTROL = frozenset("\t\r\n\0")
QUOTES = frozenset("\"'\u201a\u201e")  # those that no category below holds
SKIPPED = {"Cc", "Cf", "Pi", "Pf", "Sk"}  # controls, what has no width, quotes, lone accents

AT_ONCE = 500
COLUMNS = (
    "Number",
    *LABELS.values(),
    *("Stage", "Owner"),
    *("Next action", "On", "Next call (UTC)", "Phase", "Begin with"),
    "Agreed to email about",
    *("Email bounces", "Suspected", "Since (UTC)", "Last activity (UTC)"),
)


def line(fields: Iterable[str]) -> str:
    """Return one record, with its line end."""
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(map(safe, fields))
    return written.getvalue()


def safe(text: str) -> str:
    """Put an apostrophe before what a spreadsheet could take for a formula.

    That is = + - @ in any width, and a tab, a line end or a NUL, each also after white space,
    quotes or what has no width (OWASP, CSV Injection). A phone number gets one too.
    """
    skipped = "".join(takewhile(_is_skipped, text))
    first = text[len(skipped) : len(skipped) + 1]
    is_formula = unicodedata.normalize("NFKC", first)[:1] in FORMULA
    return "'" + text if is_formula or CONTROL & set(skipped + first) else text


def _is_skipped(character: str) -> bool:
    """Say whether a program may pass over a character on its way to the first that counts."""
    if character.isspace() or character in QUOTES:
        return True
    return unicodedata.category(character) in SKIPPED


@blueprint.get("/leads.csv")
@admins_only
def leads_csv() -> Response:
    """Hand out the leads of a view, in its order: all of them, or none.

    It is made before it is sent. Of a file that is sent while it is made, an error would make a
    shorter one, unnoticed.
    """
    text = "".join(lines(context().database, LeadFilter.read(request.args), clock.now()))
    _note_export(AuditKind.LEADS_EXPORTED, "leads", bytes=len(text.encode()))
    answer = Response(text, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="leads.csv"'
    return answer


@blueprint.get("/leads/<int:lead_id>.json")
@admins_only
def lead_json(lead_id: int) -> Response:
    """Give one lead as JSON."""
    with context().database.read() as session:
        found, zone = find_lead_or_404(session, lead_id), desk_zone(session)
        known = lead_detail.load_lead_detail(session, found, context().published, clock.now(), zone)
        answer = jsonify(_fields(known))
    _note_export(AuditKind.LEAD_EXPORTED, f"lead {lead_id}")
    answer.headers["Content-Disposition"] = f'attachment; filename="lead-{lead_id}.json"'
    return answer


def _note_export(what: AuditKind, subject: str, **detail: Detail) -> None:
    """Note who takes data along, before it is sent."""
    write(lambda session, by: by.note(session, what, subject, **detail))


def lines(database: Database, view: LeadFilter, now: datetime) -> Iterator[str]:
    """Yield the file in pieces; a short transaction for each.

    Who is in it is settled at the start: a lead that is worked on meanwhile moves in the list,
    and a reader who went on from the last one would miss it.
    """
    yield MARK + line(COLUMNS)
    ids = _ids(database, view, now)
    for start in range(0, len(ids), AT_ONCE):
        yield _some_lines(database, ids[start : start + AT_ONCE], now)


def _ids(database: Database, view: LeadFilter, now: datetime) -> Sequence[int]:
    with database.read() as session:
        query, order = view.query(session, now, inbox.desk_today(session, now))
        query = query.with_only_columns(Lead.id).order_by(*order.columns())
        return session.scalars(query).all()


def _some_lines(database: Database, ids: Sequence[int], now: datetime) -> str:
    with database.read() as session:
        leads = {lead.id: lead for lead in session.scalars(select(Lead).where(Lead.id.in_(ids)))}
        entries = inbox.list_of(session, [leads[id] for id in ids if id in leads], now)
        names = inbox.member_names(session)
        agreed = agreed_by(session, leads.keys())
    return "".join(line(_record(entry, names, agreed.get(entry.lead.id))) for entry in entries)


def _record(entry: Entry, names: dict[int, str], agreed: Agreed | None) -> Iterator[str]:
    lead, call = entry.lead, entry.next_call
    yield str(lead.id)
    yield from asdict(lead.details).values()
    yield from (labels.STAGES[lead.stage], names.get(lead.owner_id or 0, ""), lead.next_action)
    yield lead.next_action_on.isoformat() if lead.next_action_on else ""
    yield _utc(call.starts_at) if call else ""
    yield from _result(entry.diagnosis)
    only = "nothing" if agreed and agreed.services is None else "their request only"
    yield (", ".join(agreed.topics) or only) if agreed else ""
    yield from (_yes(lead.bounced_at is not None), _yes(lead.quarantine))
    yield from (_utc(lead.created_at), _utc(lead.touched_at))


def _result(found: Diagnosis | None) -> tuple[str, str]:
    if found is None:
        return "", ""
    begin = found.begin_with.name if found.begin_with else found.headline
    return found.phase.label if found.phase else "", begin


def _utc(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M}"


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


def _fields(known: lead_detail.LeadDetail) -> dict:
    """Return what the JSON says of a lead. List new columns here."""
    lead = known.lead
    return {
        "id": lead.id,
        **asdict(lead.details),
        "stage": lead.stage,
        "owner": known.names.get(lead.owner_id or 0),
        "next_action": lead.next_action,
        "next_action_on": lead.next_action_on and lead.next_action_on.isoformat(),
        "suspected": lead.quarantine,
        "mail_comes_back": lead.bounced_at is not None,
        "created_at": lead.created_at.isoformat(),
        "touched_at": lead.touched_at.isoformat(),
        **result_fields(known.brief),
        "first_touch": lead.first_touch,
        "last_touch": lead.last_touch,
        "articles": [article.slug for article in known.articles],
        "wrote": [{"at": one.at.isoformat(), "text": one.text} for one in known.said],
        "notes": [_note(note, known.names) for note in lead.notes],
        "calls": [_call(call) for call in known.calls],
        "timeline": [_line(line) for line in known.timeline],
        "consents": [_consent(consent) for consent in lead.consents],
    }


def result_fields(brief: Brief | None) -> dict:
    """Return what is told of the result that the brief is made of."""
    found = brief.diagnosis if brief else None
    return {
        "answers_from": brief.source if brief else None,
        "scores": found.percents if found else {},
        "overall": found.overall if found else None,
        "phase": found.phase.id if found and found.phase else None,
        "begin_with": found.begin_with.slug if found and found.begin_with else None,
    }


def _note(note: Note, names: dict[int, str]) -> dict:
    by = names.get(note.member_id or 0)
    return {"at": note.at.isoformat(), "by": by, "text": note.text}


def _call(call: Booking) -> dict:
    return {
        "starts_at": call.starts_at.isoformat(),
        "kind": call.call_name,
        "minutes": call.duration,
        "host": call.host.name,
        "status": call.status,
        "outcome": call.outcome,
    }


def _line(line: timeline.Line) -> dict:
    return {
        "at": line.at.isoformat(),
        "text": f"{line.text} {line.whom}".rstrip(),
        "quote": line.quote or None,
        "by": line.by or None,
    }


def _consent(consent: Consent) -> dict:
    return {
        "at": consent.at.isoformat(),
        "wording": consent.wording,
        "source": consent.source,
        "may_contact": consent.may_contact,
        "confirmed_by_email": consent.is_proved,
    }
