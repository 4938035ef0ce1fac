"""Leads as files: a view as CSV, and one lead as JSON.

The CSV follows RFC 4180, in UTF-8. No visitor's text can run as a formula in it, because
people open any CSV in a spreadsheet. For other systems, phone numbers stay as they
are typed. The variant for spreadsheets guards them too, and starts with a byte order mark, by
which Excel detects UTF-8. Every field is in quotes, so that a program that splits at semicolons
still sees where fields begin.
"""

import csv
import io
import logging
import re
import unicodedata
from array import array
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import takewhile

from flask import Response, jsonify, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from ... import clock
from ...accounts.audit_log import AuditKind, Detail
from ...assess import text
from ...assess.brief import Brief
from ...assess.diagnosis import Diagnosis
from ...assess.models import Assessment
from ...book.models import Booking, CallOutcome
from ...emails.models import OutboxMessage
from ...formats import e164
from ...leads import touch
from ...leads.consent import TOLD_SOURCE, Agreed, agreed_by, may_email_about
from ...leads.contact_details import LABELS, ContactDetails
from ...leads.models import Consent, Lead, LeadEvent, Note
from ...web.context import Context, context
from ..blueprint import admins_only, blueprint, write
from . import inbox, lead_detail, timeline
from .filters import LeadFilter
from .inbox import Entry
from .lead_page import find_lead_or_404

MARK = "\ufeff"
FORMULA = frozenset("=+-@\u2212")
CONTROL = frozenset("\t\r\n\0")
QUOTES = frozenset("\"'\u201a\u201e")  # quotes outside of the categories below
PHONE_NUMBER = re.compile(r"\+[0-9 ()./-]+")  # safe, although it starts with +
SKIPPED = {"Cc", "Cf", "Pi", "Pf", "Sk"}  # controls, zero-width characters, quotes, lone accents

AT_ONCE = 500
BROKEN_OFF = "This file is not complete, because of an error. Download it again."

log = logging.getLogger(__name__)


def line(fields: Iterable[str]) -> str:
    """Return one record, with its line end."""
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(fields)
    return written.getvalue()


def safe_line(fields: Iterable[str]) -> str:
    """Return one record for a spreadsheet, with its line end."""
    return line(map(safe, fields))


def system_line(fields: Iterable[str]) -> str:
    """Return one record for another system, with its line end."""
    return line(text if PHONE_NUMBER.fullmatch(text) else safe(text) for text in fields)


def safe(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet could treat as a formula.

    That is = + - @ in any width, a tab, a line end or a NUL at the start, or after white space,
    quotes or zero-width characters (OWASP, CSV Injection). A phone number gets one too.
    """
    if not text or text[0].isalnum():  # the usual case
        return text
    skipped = "".join(takewhile(_is_skipped, text))
    first = text[len(skipped) : len(skipped) + 1]
    is_formula = unicodedata.normalize("NFKC", first)[:1] in FORMULA
    return "'" + text if is_formula or CONTROL & set(skipped + first) else text


def _is_skipped(character: str) -> bool:
    """Say whether a program may skip a character before the first significant one."""
    if character.isspace() or character in QUOTES:
        return True
    return unicodedata.category(character) in SKIPPED


@blueprint.get("/leads.csv")
@admins_only
def leads_csv() -> Response:
    """Return the leads of a view as CSV, in its order; `variant=spreadsheet` guards formulas.

    The response is streamed. After an error, its last line says that it is incomplete.
    """
    ids = _ids(LeadFilter.read(request.args), clock.now())
    _note_export(AuditKind.LEADS_EXPORTED, "leads", leads=len(ids))
    is_for_spreadsheet = request.args.get("variant") == "spreadsheet"
    pieces = lines(context(), ids, clock.now(), is_for_spreadsheet=is_for_spreadsheet)
    answer = Response(pieces, content_type="text/csv; charset=utf-8")
    name = "leads-for-spreadsheets.csv" if is_for_spreadsheet else "leads.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@blueprint.get("/leads/<int:lead_id>.json")
@admins_only
def lead_json(lead_id: int) -> Response:
    """Return one lead as JSON."""
    with context().database.read() as session:
        found, now = find_lead_or_404(session, lead_id), clock.now()
        known = lead_detail.load_lead_detail(session, found, context().published, now, "UTC")
        answer = jsonify(_fields(known))
    _note_export(AuditKind.LEAD_EXPORTED, f"lead {lead_id}")
    answer.headers["Content-Disposition"] = f'attachment; filename="lead-{lead_id}.json"'
    return answer


def _note_export(what: AuditKind, subject: str, **detail: Detail) -> None:
    """Record in the audit log who exports data, before it is sent."""
    write(lambda session, by: by.note(session, what, subject, **detail))


def _ids(view: LeadFilter, now: datetime) -> "array[int]":
    """Fix the ids of the file first, because leads that change meanwhile move in the list."""
    with context().database.read() as session:
        query, order = view.query(session, now, inbox.desk_today(session, now))
        query = query.with_only_columns(Lead.id).order_by(*order.columns())
        return array("q", session.scalars(query.execution_options(yield_per=AT_ONCE)))


def lines(
    ours: Context, ids: "array[int]", now: datetime, *, is_for_spreadsheet: bool = False
) -> Iterator[str]:
    """Yield the file in pieces, with a short transaction for each.

    The web server ends a truncated response as if it were complete, so the file has to say so,
    by a line with one field, which no program treats as a lead.
    """
    written = safe_line if is_for_spreadsheet else system_line
    steps = ours.published.framework.steps
    scores = [f"{step.name} score" for step in steps]
    yield MARK * is_for_spreadsheet + written((*COLUMNS, "Overall score", *scores))
    for start in range(0, len(ids), AT_ONCE):
        try:
            with ours.database.read() as session:
                records = list(_records(session, ours, ids[start : start + AT_ONCE], now))
        except Exception:
            log.exception("CSV export failed after %d of %d leads", start, len(ids))
            yield written([BROKEN_OFF])
            return
        yield "".join(written(one) for one in records)


def _records(
    session: Session, ours: Context, ids: Collection[int], now: datetime
) -> Iterator[list[str]]:
    leads = {lead.id: lead for lead in session.scalars(select(Lead).where(Lead.id.in_(ids)))}
    entries = inbox.list_of(session, [leads[id] for id in ids if id in leads], now)
    names, agreed = inbox.member_names(session), agreed_by(session, leads.keys())
    activity = _activity_of(session, ids)
    slugs = [step.slug for step in ours.published.framework.steps]
    country = ours.settings.practice_country
    for entry in entries:
        id, found = entry.lead.id, entry.diagnosis
        record = _record(entry, activity[id], names, agreed.get(id, Agreed()), country)
        percents: dict[str, int] = found.percents if found else {}
        scores = [str(percents.get(slug, "")) for slug in slugs]
        yield [record[name] for name in COLUMNS] + [str(found.overall) if found else "", *scores]


@dataclass
class _Activity:
    """A summary of a lead's calls and messages."""

    topic: str = ""  # the latest one
    attended: int = 0
    missed: int = 0
    has_asked: bool = False  # wrote to us or wanted a call
    sources: dict[str, None] = field(default_factory=dict)  # typed by members, in order


def _activity_of(session: Session, ids: Collection[int]) -> dict[int, _Activity]:
    found = {id: _Activity() for id in ids}
    asked = LeadEvent.kind.in_(lead_detail.ANSWERED)
    events = select(LeadEvent.lead_id, LeadEvent.detail).where(LeadEvent.lead_id.in_(ids), asked)
    for lead_id, detail in session.execute(events.order_by(LeadEvent.id)):
        found[lead_id].has_asked = True
        found[lead_id].topic = detail.get("text") or found[lead_id].topic
        found[lead_id].sources |= dict.fromkeys(filter(None, [detail.get("source")]))
    calls = select(Booking.lead_id, Booking.topic, Booking.outcome).where(Booking.lead_id.in_(ids))
    for lead_id, topic, outcome in session.execute(calls.order_by(Booking.id)):
        activity = found[lead_id]
        activity.topic = topic or activity.topic
        activity.attended += outcome == CallOutcome.ATTENDED
        activity.missed += outcome == CallOutcome.NO_SHOW
    return found


PHONE, TYPED = LABELS["phone"], f"{LABELS['phone']} as typed"
TOUCH = (*map(touch.label, touch.PARAMETERS), "article", "seen (UTC)")
COLUMNS = (
    "Number",
    *LABELS.values(),
    TYPED,
    *("Stage", "Owner", "Next action", "Due date", "Next call (UTC)"),
    *("Calls that took place", "No-shows", "Topic"),
    *(f"{end} {what}" for end in ("First", "Last") for what in TOUCH),
    "Known from",
    *("Phase", "Begin with", "Diagnosis", "Recommended", "Agreed to email about"),
    *("Email bounces", "Possible spam", "Since (UTC)", "Last activity (UTC)"),
)  # the scores follow


def _record(
    entry: Entry, activity: _Activity, names: dict[int, str], agreed: Agreed, country: str
) -> dict[str, str]:
    """Return the CSV record of a lead, by column."""
    lead, call, found = entry.lead, entry.next_call, entry.diagnosis
    return {
        "Number": str(lead.id),
        **_contact(lead.details, country),
        "Stage": lead.stage.label,
        "Owner": names.get(lead.owner_id or 0, ""),
        "Next action": lead.next_action,
        "Due date": lead.next_action_on.isoformat() if lead.next_action_on else "",
        "Next call (UTC)": _utc(call.starts_at) if call else "",
        "Calls that took place": str(activity.attended),
        "No-shows": str(activity.missed),
        "Topic": activity.topic,
        **_touched("First", lead.first_touch),
        **_touched("Last", lead.last_touch),
        "Known from": ", ".join(activity.sources),
        **_result(found),
        "Agreed to email about": may_email_about(agreed, has_asked=activity.has_asked),
        "Email bounces": _yes(lead.bounced_at is not None),
        "Possible spam": _yes(lead.quarantine),
        "Since (UTC)": _utc(lead.created_at),
        "Last activity (UTC)": _utc(lead.touched_at),
    }


def _contact(details: ContactDetails, country: str) -> dict[str, str]:
    known = {LABELS[name]: text for name, text in asdict(details).items()}
    return known | {PHONE: e164(details.phone, country), TYPED: details.phone}


def _touched(end: str, stored: dict[str, str] | None) -> dict[str, str]:
    known = stored or {}
    return {
        **{f"{end} {touch.label(name)}": known.get(name, "") for name in touch.PARAMETERS},
        f"{end} article": known.get("article", ""),
        f"{end} seen (UTC)": _utc(datetime.fromisoformat(known["at"])) if known else "",
    }


def _result(found: Diagnosis | None) -> dict[str, str]:
    if found is None:
        return dict.fromkeys(("Phase", "Begin with", "Diagnosis", "Recommended"), "")
    return {
        "Phase": found.phase.label if found.phase else "",
        "Begin with": found.begin_with.name if found.begin_with else found.headline,
        "Diagnosis": " ".join((found.headline, *found.reasons)),
        "Recommended": text.outcome_title(found),
    }


def _utc(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M}"


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


def _fields(known: lead_detail.LeadDetail) -> dict:
    """Return the JSON of a lead. List new columns here."""
    lead = known.lead
    return {
        "id": lead.id,
        **asdict(lead.details),
        "phone_e164": e164(lead.phone, context().settings.practice_country) or None,
        "stage": lead.stage,
        "owner": known.names.get(lead.owner_id or 0),
        "next_action": lead.next_action,
        "next_action_on": lead.next_action_on and lead.next_action_on.isoformat(),
        "possible_spam": lead.quarantine,
        "mail_comes_back": lead.bounced_at is not None,
        "disowned": lead.disowned_at is not None,
        "created_at": lead.created_at.isoformat(),
        "touched_at": lead.touched_at.isoformat(),
        "may_write": known.permission.may_write,
        "permission": known.permission.text,
        **result_fields(known.brief),
        "first_touch": lead.first_touch,
        "last_touch": lead.last_touch,
        "articles": [article.slug for article in known.articles],
        "wrote": [{"at": one.at.isoformat(), "text": one.text} for one in known.said],
        "notes": [_note(note, known.names) for note in lead.notes],
        "calls": [_call(call) for call in known.calls],
        "assessments": [_assessment(one) for one in known.questionnaires],
        "emails": [_email(one) for one in known.mails],
        "timeline": [_line(line) for line in known.timeline],
        "consents": [_consent(consent) for consent in lead.consents],
    }


def result_fields(brief: Brief | None) -> dict:
    """Return the JSON of the result that the brief is based on."""
    found = brief.diagnosis if brief else None
    return {
        "answers_from": brief.source if brief else None,
        "scores": found.percents if found else {},
        "overall": found.overall if found else None,
        "phase": found.phase.id if found and found.phase else None,
        "begin_with": found.begin_with.slug if found and found.begin_with else None,
        "diagnosis": [found.headline, *found.reasons] if found else [],
        "recommended": text.outcome_title(found) if found else None,
    }


def _note(note: Note, names: dict[int, str]) -> dict:
    by = names.get(note.member_id or 0)
    return {"at": note.at.isoformat(), "by": by, "text": note.text}


def _call(call: Booking) -> dict:
    return {
        "starts_at": call.starts_at.isoformat(),
        "booked_at": call.created_at.isoformat(),
        "canceled_at": call.cancelled_at and call.cancelled_at.isoformat(),
        "kind": call.call_name,
        "minutes": call.duration,
        "host": call.host.name,
        "status": call.status,
        "outcome": call.outcome,
        "topic": call.topic,
        "article": call.came_from,
        "source": touch.parameters(call.source),
        "with_answers": call.assessment_id is not None,
        **asdict(call.details),
    }


def _assessment(one: lead_detail.Questionnaire) -> dict:
    taken: Assessment = one.assessment
    return {
        "started_at": taken.started_at.isoformat(),
        "completed_at": taken.completed_at and taken.completed_at.isoformat(),
        "phase": taken.phase,
        "article": taken.came_from,
        "source": touch.parameters(taken.source),
        "answers": [
            {"step": said.step.slug, "question": said.question, "answer": said.answer}
            for said in one.answers
        ],
    }


def _email(mail: OutboxMessage) -> dict:
    return {
        "kind": mail.kind,
        "to": mail.address,
        "state": mail.state,
        "written_at": mail.created_at.isoformat(),
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
        "confirmed_by_email": consent.is_proved and consent.source != TOLD_SOURCE,
    }
