"""Store people's consent to emails, and decide whether the team may contact them.

docs/privacy.md states the rule. People who book a call, try to, or write to us can
be reached about that. Everything else needs a box that they ticked: one on the forms of a booking
and a message (our services), another beside an emailed result (that result). A tick counts once it
is confirmed from the mailbox, since anyone can type any address; a withdrawal counts at once, and
so does a consent given to a member. A box left unchecked on a later form withdraws nothing.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from .models import Consent, Lead

INSERT = insert(Consent.__table__).inline()
TOLD_SOURCE = "told"  # consent given to a member in person
WITHDRAWN_SOURCE = "email"  # consent withdrawn by the mailbox's owner
RESULT_SOURCE = "result"  # consent about one result; all other sources are about services


class Question(NamedTuple):
    """The words beside a checkbox. Changed words need a new version."""

    version: str  # what `Consent.wording` stores
    text: str


# Never delete an old question: stored consents name its version. Add a new one beside it.
SERVICES = Question("2026-11-29", "You may also email me about your services occasionally.")
RESULT = Question("2026-11-29-result", "You may email me about this result.")
TOLD = Question("2026-11-29-told", "May we also email you about our services occasionally?")
BEFORE = (
    Question("2026-11", "You may also write to me about your services now and then."),
    Question("2026-11-result", "You may write to me about this result."),
    Question("2026-11-told", "May we also write to you about our services now and then?"),
)
WORDINGS = {one.version: one.text for one in (SERVICES, RESULT, TOLD, *BEFORE)}


def record_consent(
    session: Session,
    lead: Lead,
    asked: Question,
    *,
    may_contact: bool,
    source: str,
    at: datetime,
    is_proved: bool = False,
) -> None:
    """Store the proof of what was asked and answered."""
    values = {"lead_id": lead.id, "wording": asked.version, "source": source, "at": at}
    values |= {"may_contact": may_contact, "is_proved": is_proved}
    session.connection().execute(INSERT, values)


def record_told(session: Session, lead: Lead, may_contact: bool | None, at: datetime) -> None:
    """Store a consent given to a member in person; None: the member didn't ask."""
    if may_contact is not None:
        record_consent(
            session,
            lead,
            TOLD,
            may_contact=may_contact,
            source=TOLD_SOURCE,
            at=at,
            is_proved=True,
        )


class Occasion(StrEnum):
    """The occasions of emails to the team that decide whether a person may be contacted."""

    CALL = "call"
    CALL_GIVEN_AWAY = "call-given-away"  # for the host who no longer has the call
    WANTED_CALL = "wanted-call"
    MESSAGE = "message"
    TALK = "talk"
    RESULT = "result"
    CONSENT = "consent"  # they confirmed from their mailbox that we may write


@dataclass(frozen=True)
class Agreed:
    """The consents that apply to a person; None for questions they were never asked."""

    services: bool | None = None
    result: bool | None = None
    waiting: tuple[Consent, ...] = ()  # consents that the mailbox hasn't confirmed yet
    has_withdrawn: bool = False  # they withdrew an earlier consent
    is_stopped: bool = False  # withdrawn by the link in our emails, without a later consent
    is_disowned: bool = False  # the mailbox's owner says that someone else used the address

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that we may email about unasked."""
        return ("their result",) * bool(self.result) + ("our services",) * bool(self.services)


@dataclass(frozen=True)
class Permission:
    """Whether to contact a person, in words; without `may_write`, emails invite no reply."""

    may_write: bool
    text: str


def agreed(session: Session, lead_id: int) -> Agreed:
    """Return a lead's present consents."""
    return agreed_by(session, [lead_id]).get(lead_id, Agreed())


def agreed_by(session: Session, lead_ids: Collection[int]) -> dict[int, Agreed]:
    """Return the present consents of leads, for those who were asked."""
    query = select(Consent).where(Consent.lead_id.in_(lead_ids)).order_by(Consent.id)
    given: dict[int, list[Consent]] = {}
    for one in session.scalars(query):
        given.setdefault(one.lead_id, []).append(one)
    found = {lead_id: current(theirs) for lead_id, theirs in given.items()}
    disowned = select(Lead.id).where(Lead.id.in_(lead_ids), Lead.disowned_at.is_not(None))
    for lead_id in session.scalars(disowned):
        found[lead_id] = replace(found.get(lead_id, Agreed()), is_disowned=True)
    return found


def current(given: Iterable[Consent]) -> Agreed:
    """Return the present consents from a lead's history, which is sorted by time. Pure."""
    found = Agreed()
    for one in given:
        kind = _kind(one)
        if one.may_contact and not one.is_proved:
            if not getattr(found, kind):
                waiting = (*found.waiting, one)
                found = replace(_with(found, kind, False), waiting=waiting, is_stopped=False)
        elif one.source == WITHDRAWN_SOURCE:
            has_withdrawn = found.has_withdrawn or bool(found.topics)
            found = Agreed(False, False, has_withdrawn=has_withdrawn, is_stopped=True)
        elif one.may_contact or one.source == TOLD_SOURCE:
            has_withdrawn = found.has_withdrawn or bool(
                getattr(found, kind) and not one.may_contact
            )
            waiting = tuple(tick for tick in found.waiting if _kind(tick) != kind)
            found = replace(_with(found, kind, one.may_contact), waiting=waiting)
            is_stopped = found.is_stopped and not one.may_contact
            found = replace(found, has_withdrawn=has_withdrawn, is_stopped=is_stopped)
        elif getattr(found, kind) is None:
            found = _with(found, kind, False)
    return found


def _with(found: Agreed, kind: str, is_given: bool) -> Agreed:
    if kind == "result":
        return replace(found, result=is_given)
    return replace(found, services=is_given)


def _kind(one: Consent) -> str:
    return "result" if one.source == RESULT_SOURCE else "services"


def in_words(one: Consent) -> str:
    """Describe one stored consent."""
    if one.may_contact:
        about = "their result" if one.source == RESULT_SOURCE else "our services"
        return f"Yes, about {about}" + (", not confirmed by email" if not one.is_proved else "")
    return NO.get(one.source, "The box was left unchecked")


NO = {WITHDRAWN_SOURCE: "No, by the link in our email", TOLD_SOURCE: "No"}


def may_email_about(agreed: Agreed, *, has_asked: bool) -> str:
    """Name the topics for emails; `has_asked` says whether the person wrote to us or booked."""
    if agreed.is_disowned:
        return "nothing"
    return ", ".join(agreed.topics) or ("their request only" if has_asked else "nothing")


def permission(occasion: Occasion, agreed: Agreed) -> Permission:
    """Return whether a person may be contacted after an occasion, and about what."""
    if agreed.is_disowned:
        said = "The owner of this address says that someone else used it."
        return Permission(False, f"{said} Do not email or call them.")
    if occasion == Occasion.CALL_GIVEN_AWAY:
        return Permission(False, "Another host has this call now and will talk to them about it.")
    if occasion in _ASKED_FOR:
        also = _may_contact(agreed, is_more=True)
        return Permission(True, f"{_ASKED_FOR[occasion]} {also}")
    may_write, text = bool(agreed.topics), _may_contact(agreed)
    return Permission(may_write, text if may_write else f"{text} Do not email or call them.")


def _may_contact(agreed: Agreed, *, is_more: bool = False) -> str:
    """Describe a person's answer about emails, or about further ones if `is_more`."""
    more = " about anything else" * is_more
    if agreed.topics:
        topics = " and ".join(agreed.topics)
        return f"They{' also' * is_more} agreed that we may email them about {topics}."
    if agreed.waiting:
        return "They checked the box that lets us email them, but have not confirmed it by email."
    if agreed.has_withdrawn:
        what = "other emails" if is_more else "be contacted"
        return f"They agreed to {what}, but later withdrew their consent."
    if agreed.services is None and agreed.result is None:
        return f"We have not asked whether we may contact them{more}."
    return f"They did not agree to be contacted{more}."


_ASKED_FOR = {
    Occasion.CALL: "You can call or email them about the call they booked.",
    Occasion.WANTED_CALL: "You can suggest another time for the call that they asked for.",
    Occasion.MESSAGE: "You can reply to their message.",
    Occasion.TALK: "You can call or email them about your conversation.",
}
