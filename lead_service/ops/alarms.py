"""Tell a person what `lead-service check` has found, by ways that do not need the outbox.

A webhook, signed as the Standard Webhooks specification says, whose `text` chat programs show as
it is; and an email, sent through SMTP_URL where there is one and through SendGrid otherwise, so
that where both are set the one tells of the other. The same faults are told once, then once a
day while they last, and their end once. What was told last is kept in a file under VAR_DIR,
because the database may be what is wrong.
"""

import base64
import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from ..emails import practice_context
from ..emails.message import EmailKind, compose
from ..emails.transports.base import Permanent, Stop, Temporary, Transport
from ..emails.transports.sendgrid import SendGrid
from ..emails.transports.smtp import Smtp
from ..outbound import connections, request
from ..settings import Settings

AGAIN = timedelta(days=1)
SECONDS = 10
NUMBER = re.compile(r"\d+")


def tell(settings: Settings, faults: Sequence[str], now: datetime) -> list[str]:
    """Tell of `faults`, or that there are none any more; return what could not be told.

    What only counts up, such as how long an email has waited, makes no fault a new one. Nothing
    counts as told before one of the ways has worked.
    """
    path = settings.var_dir / "alarm.json"
    kind = hashlib.sha256(NUMBER.sub("#", "\n".join(sorted(faults))).encode()).hexdigest()
    known, told_at = _known(path)
    if (known == kind and now < told_at + AGAIN) or not (faults or known):
        return []
    outcomes = [_tried(way) for way in _ways(settings, faults, now)]
    if None in outcomes:
        outcomes.append(_tried(lambda: _remember(path, kind if faults else "", now)))
    return [fault for fault in outcomes if fault]


def can_tell_of_email(settings: Settings) -> bool:
    """Say whether a person would hear of it that email does not work."""
    return bool(settings.alarm_webhook or (settings.sendgrid_api_key and settings.smtp_url))


def _known(path: Path) -> tuple[str, datetime]:
    """Return what was told last and when; "" when all was well, or nothing can be read."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(path.read_bytes())
        return str(known["kind"]), datetime.fromisoformat(known["at"]).astimezone(UTC)
    return "", datetime.min.replace(tzinfo=UTC)


def _remember(path: Path, kind: str, now: datetime) -> None:
    """Write the note whole, or leave the one that is there; raises ValueError when it cannot."""
    whole = path.with_suffix(".new")
    try:
        whole.write_text(json.dumps({"kind": kind, "at": now.isoformat()}))
        whole.replace(path)
    except OSError as error:
        raise ValueError(f"VAR_DIR: the alarm will be repeated ({error.strerror})") from None


def _tried(way: Callable[[], None]) -> str | None:
    """Return why a way has failed, or None."""
    try:
        way()
    except ValueError as fault:
        return str(fault)
    return None


def _ways(settings: Settings, faults: Sequence[str], now: datetime) -> Iterator[Callable[[], None]]:
    """Yield a function for each way that is set; each raises ValueError when it fails."""
    if settings.alarm_webhook:
        address = settings.alarm_webhook.get_secret_value()
        yield lambda: _post(settings, address, faults, now)
    if settings.smtp_url or settings.sendgrid_api_key:
        transport = Smtp(settings) if settings.smtp_url else SendGrid(settings)
        for recipient in settings.sales_to:
            yield partial(_email, transport, settings, recipient, faults)


def _email(transport: Transport, settings: Settings, recipient: str, faults: Sequence[str]) -> None:
    message = compose(
        EmailKind.ALARM,
        to=recipient,
        faults=faults,
        host=urlsplit(settings.public_url).hostname,
        **practice_context(settings),
    )
    try:
        transport.send(message, uuid.uuid4().hex)
    except (Temporary, Permanent, Stop) as refusal:
        raise ValueError(f"alarm: no email could be sent ({refusal.reason})") from None


def _post(settings: Settings, address: str, faults: Sequence[str], now: datetime) -> None:
    body = json.dumps(_payload(settings, faults, now)).encode()
    name, at = f"msg_{uuid.uuid4().hex}", str(int(now.timestamp()))
    headers = {"Content-Type": "application/json", "webhook-id": name, "webhook-timestamp": at}
    if settings.alarm_webhook_secret:
        secret = settings.alarm_webhook_secret.get_secret_value()
        headers["webhook-signature"] = signature(secret, name, at, body)
    try:
        pool = connections(proxy_for=address)
        answer = request(pool, SECONDS, "POST", address, headers, body)
    except Exception as error:  # OSError, HTTPException
        raise ValueError(f"ALARM_WEBHOOK: it did not answer ({type(error).__name__})") from None
    if not 200 <= answer.status < 300:
        raise ValueError(f"ALARM_WEBHOOK: it answered {answer.status}")


def _payload(settings: Settings, faults: Sequence[str], now: datetime) -> dict[str, object]:
    host = urlsplit(settings.public_url).hostname
    lines = (
        [f"{host} needs your attention:", *faults]
        if faults
        else [f"{host}: all problems are fixed."]
    )
    return {
        "type": "check.failed" if faults else "check.passed",
        "timestamp": now.isoformat(),
        "data": {"site": settings.public_url, "faults": list(faults)},
        "text": "\n".join(lines),
    }


def signature(secret: str, name: str, at: str, body: bytes) -> str:
    """Return the `webhook-signature` of the specification; `secret` is `whsec_` and base64."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.digest(key, b".".join((name.encode(), at.encode(), body)), "sha256")
    return f"v1,{base64.b64encode(signed).decode()}"
