"""The page that explains why a time in a host's zone isn't offered."""

from dataclasses import dataclass
from datetime import datetime

from flask import render_template, request
from sqlalchemy.orm import Session

from ... import clock
from ...book.availability import queries, refusals
from ...book.availability.slots import Unavailable
from ...book.hosts.models import Host
from ...call_types import CallType
from ...web.context import context
from .. import wall_clock
from ..blueprint import blueprint
from . import host_updates, overview


@dataclass(frozen=True)
class Answer:
    """Whether one instant is offered; a repeated wall-clock time has two of these."""

    at: datetime
    offset: str  # UTC offset of the host's zone
    reason: Unavailable | None
    words: str


@blueprint.get("/availability/<int:host_id>/why/")
def why(host_id: int) -> tuple[str, int] | str:
    """Explain why a start isn't offered; `at` is a wall-clock time in the host's zone."""
    now, typed = clock.now(), request.args.get("at", "")[:40]
    with context().database.read() as session:
        found = host_updates.find_host_or_404(session, host_id)
        reading = wall_clock.parse(typed)
        kind = overview.wanted_kind(found)
        answers = _answers(session, found, kind, reading, now) if reading else []
    page = render_template(
        "desk/hosts/unavailable.html",
        host=found,
        typed=typed,
        reading=reading,
        answers=answers,
        kind=kind,
        kinds=overview.offered_kinds(found),
    )
    return (page, 422) if typed and not reading else page


def _answers(
    session: Session, host: Host, kind: CallType, reading: datetime, now: datetime
) -> list[Answer]:
    found = []
    for at in wall_clock.instants(reading, host.zone):
        reason = queries.why_unavailable(session, host, kind, at, now)
        words = refusals.on_desk(reason, host.zone, now) if reason else ""
        found.append(Answer(at, wall_clock.offset(at, host.zone), reason, words))
    return found
