"""Passkeys of members: add one, sign in with one, remove one (WebAuthn level 3).

A passkey is a key pair on a device. The device signs our challenge after checking a
fingerprint, a face or a PIN: two factors at once, and no email. Each challenge is given to one
browser, works for five minutes and signs in once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ...accounts.audit_log import Actor, AuditKind
from ...accounts.members import Member, Passkey
from ...db.base import insert_unless, rows_changed
from ...settings import Settings

CHALLENGE_LIFE = timedelta(minutes=5)


class Refused(Exception):
    """A browser's response is invalid; has the subject for the audit log."""


@dataclass(frozen=True)
class Challenge:
    """A challenge for a browser to sign, and the time at which it was given."""

    text: str
    at: datetime


def creation_options(
    session: Session, settings: Settings, member: Member, challenge: Challenge
) -> str:
    """Return the options for creating a new passkey of a member, as JSON."""
    import webauthn  # imported here, because it takes a third of a second
    from webauthn.helpers import structs

    known = session.scalars(select(Passkey.credential_id).where(Passkey.member_id == member.id))
    options = webauthn.generate_registration_options(
        rp_id=settings.passkey_host,
        rp_name=settings.practice_name,
        user_id=_handle(member.id),
        user_name=member.email,
        user_display_name=member.shown_name,
        challenge=challenge.text.encode(),
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            structs.PublicKeyCredentialDescriptor(id=webauthn.base64url_to_bytes(one))
            for one in known
        ],
    )
    return webauthn.options_to_json(options)


def request_options(settings: Settings, challenge: Challenge) -> str:
    """Return the options for signing in with any passkey, as JSON."""
    import webauthn
    from webauthn.helpers.structs import UserVerificationRequirement

    options = webauthn.generate_authentication_options(
        rp_id=settings.passkey_host,
        challenge=challenge.text.encode(),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def add(
    session: Session,
    settings: Settings,
    by: Actor,
    challenge: Challenge | None,
    answer: str,
    *,
    name: str,
) -> None:
    """Store a passkey that a member's browser has created; raise Refused."""
    import webauthn
    from webauthn.helpers import bytes_to_base64url

    verify, whose = webauthn.verify_registration_response, f"member {by.member_id}"
    made = _check(verify, whose, settings, challenge, by.at, credential=answer)
    id = insert_unless(
        session,
        Passkey,
        "credential_id",
        member_id=by.member_id,
        name=name,
        credential_id=bytes_to_base64url(made.credential_id),
        public_key=bytes_to_base64url(made.credential_public_key),
        sign_count=made.sign_count,
        created_at=by.at,
    )
    if id is None:
        raise Refused(whose)
    by.note(session, AuditKind.PASSKEY_ADDED, whose, passkey=id)


def use(
    session: Session, settings: Settings, challenge: Challenge | None, answer: str, at: datetime
) -> Passkey:
    """Return the passkey that signed the challenge, of a present member; raise Refused."""
    import webauthn
    from webauthn.helpers import parse_authentication_credential_json

    unknown = "unknown passkey"
    given = _read(parse_authentication_credential_json, unknown, answer)
    query = select(Passkey).join(Passkey.member).where(Passkey.credential_id == given.id)
    query = query.where(Member.removed_at.is_(None)).with_for_update(of=Passkey)
    if (passkey := session.scalar(query)) is None:
        raise Refused(unknown)
    whose = f"member {passkey.member_id}"
    if given.response.user_handle != _handle(passkey.member_id):
        raise Refused(whose)
    if challenge and passkey.used_at and passkey.used_at >= challenge.at:
        raise Refused(whose)  # a stolen cookie and response can't be reused
    checked = _check(
        webauthn.verify_authentication_response,
        whose,
        settings,
        challenge,
        at,
        credential=given,
        credential_public_key=webauthn.base64url_to_bytes(passkey.public_key),
        credential_current_sign_count=passkey.sign_count,
    )
    passkey.sign_count, passkey.used_at = checked.new_sign_count, at
    return passkey


def of_member(session: Session, member: Member) -> list[Passkey]:
    """Return the passkeys of a member, the oldest first."""
    query = select(Passkey).where(Passkey.member_id == member.id).order_by(Passkey.id)
    return list(session.scalars(query))


def remove(session: Session, id: int, by: Actor) -> bool:
    """Remove one of the member's own passkeys; return whether it existed."""
    theirs = delete(Passkey).where(Passkey.id == id, Passkey.member_id == by.member_id)
    if not rows_changed(session, theirs):
        return False
    by.note(session, AuditKind.PASSKEY_REMOVED, f"member {by.member_id}", passkey=id)
    return True


def _handle(member_id: int) -> bytes:
    """Return a member's user handle, which reveals neither name nor address."""
    return str(member_id).encode()


def _check(
    verify: Callable,
    whose: str,
    settings: Settings,
    challenge: Challenge | None,
    at: datetime,
    **more,
) -> Any:
    if challenge is None or at - challenge.at >= CHALLENGE_LIFE:
        raise Refused(whose)
    return _read(
        verify,
        whose,
        expected_challenge=challenge.text.encode(),
        expected_rp_id=settings.passkey_host,
        expected_origin=settings.origin,
        require_user_verification=True,
        **more,
    )


def _read(function: Callable, whose: str, *given: str, **named: Any) -> Any:
    """Call a function of the library, and turn its many exceptions into Refused."""
    try:
        return function(*given, **named)
    except Exception as fault:
        raise Refused(whose) from fault
