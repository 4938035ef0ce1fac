"""Find or create the one lead of an email address."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import ColumnElement, and_, bindparam, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..db.base import broken_rule, insert_unless
from .contact_details import ContactDetails
from .models import Consent, Lead, LeadEvent, Note, Stage, derived_columns
from .touch import Touch, in_words

POSSIBLE_SPAM = " (possible spam)"  # added to emails to the team about a lead in quarantine
ONE_EACH = "uq_lead_address"
Stored = dict[str, str]  # a touch
BY_ADDRESS = select(Lead).where(Lead.address == bindparam("address")).with_for_update()


def normalize_email(email: str) -> str:
    """Normalize an address for finding its lead.

    The domain becomes punycode and everything lower case: in theory the part before
    the @ is case-sensitive (RFC 5321, 2.4), but in practice no two mailboxes differ
    by case, and many people type a capital first letter. Raises ValueError.
    """
    try:
        checked = validate_email(
            email, check_deliverability=False, test_environment=True, strict=True
        )
    except EmailNotValidError as fault:
        raise ValueError(str(fault)) from None
    return f"{checked.local_part}@{checked.ascii_domain}".lower()


def mailbox_of(email: str) -> str:
    """Return the mailbox that an address delivers to: dora@ for dora+x@. Raises ValueError."""
    return mailbox_of_lead(normalize_email(email))


def mailbox_of_lead(address: str) -> str:
    """Return the mailbox of a normalized address, as a lead keeps it."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


def shares_mailbox(address: str) -> ColumnElement[bool]:
    """Select the leads whose addresses deliver to the same mailbox, with any tag."""
    mailbox = mailbox_of_lead(address)
    local, _, domain = mailbox.rpartition("@")
    tagged = and_(
        Lead.address.startswith(f"{local}+", autoescape=True),
        Lead.address.endswith(f"@{domain}", autoescape=True),
    )
    return or_(Lead.address == mailbox, tagged)


def capture_lead(
    session: Session,
    details: ContactDetails,
    *,
    at: datetime,
    quarantine: bool = False,
    touches: Iterable[Touch] = (),
) -> Lead:
    """Find or make the one lead of an address, and lock it.

    New details fill empty fields only: anyone can type another person's address, so a later form
    must not overwrite known ones (the form's own text is kept in its event). A lead is
    suspected while all its forms are: a stranger may have sent the first one in its name.
    `touches` are the sources of this form, oldest first.
    """
    told, address = asdict(details), normalize_email(details.email)
    new: dict[str, Any] = told | {"address": address, "quarantine": quarantine}
    led = [one.stored for one in touches]
    first, last = _first_and_last(led)
    new |= {"created_at": at, "touched_at": at, "first_touch": first, "last_touch": last}
    new |= derived_columns(details, address, map(in_words, (first, last)))
    lead = None
    while lead is None:  # the lead may be erased between the insert's conflict and the query
        is_new = insert_unless(session, Lead, "address", **new)
        lead = _find(session, address)
    if is_new:
        return lead
    for name, text in told.items():
        setattr(lead, name, getattr(lead, name) or text)
    if lead.quarantine or not quarantine:
        _add_touches(lead, led)
    lead.touched_at, lead.quarantine = at, lead.quarantine and quarantine
    return lead


def _add_touches(lead: Lead, touches: Iterable[Stored | None]) -> None:
    known = (lead.first_touch, lead.last_touch, *touches)
    lead.first_touch, lead.last_touch = _first_and_last(known)


def _first_and_last(touches: Iterable[Stored | None]) -> tuple[Stored | None, Stored | None]:
    """Return the first touch, and the last one with a source."""
    known = sorted(filter(None, touches), key=lambda touch: touch["at"])
    saying = [touch for touch in known if touch.keys() - {"at"}]
    return next(iter(known), None), next(reversed(saying or known), None)


def find_lead(session: Session, email: str) -> Lead | None:
    """Find the lead of an address, normalized or not, and lock it."""
    return _find(session, normalize_email(email))


def correct_lead_email(session: Session, lead: Lead, email: str) -> bool:
    """Correct a lead's address; return False, without changes, if another lead has it."""
    try:
        with session.begin_nested():
            lead.address, lead.email, lead.bounced_at = normalize_email(email), email, None
    except IntegrityError as error:
        if broken_rule(error) != ONE_EACH:
            raise
        return False
    return True


def pass_on(wrong: Lead, right: Lead) -> None:
    """Copy the source, owner and next step of the mistyped lead to the corrected one."""
    _add_touches(right, (wrong.first_touch, wrong.last_touch))
    right.owner_id = right.owner_id or wrong.owner_id


def merge_leads(session: Session, right: Lead, wrong: Lead) -> None:
    """Move everything about a lead with a mistyped address to the lead of the correct one."""
    for model in (LeadEvent, Consent, Note):
        session.execute(update(model).where(model.lead_id == wrong.id).values(lead_id=right.id))
    pass_on(wrong, right)
    for name in asdict(wrong.details):
        setattr(right, name, getattr(right, name) or getattr(wrong, name))
    if right.stage == Stage.NEW:
        right.stage = wrong.stage
    if not right.next_action:
        right.next_action, right.next_action_on = wrong.next_action, wrong.next_action_on
    right.quarantine = right.quarantine and wrong.quarantine


def _find(session: Session, address: str) -> Lead | None:
    return session.scalar(BY_ADDRESS, {"address": address})
