"""Report the faults that `lead-service check` has found, without using the outbox.

Alarms go to a webhook, signed by the Standard Webhooks specification, with a `text` that chat
programs show; and by email, sent through SMTP_URL if it is set and through SendGrid otherwise, so
that with both, one can report that the other fails. The same faults are reported once, then once a
day while they last, and the end of each once. The last report is kept in a file under VAR_DIR,
because the database itself may fail.
"""

import base64
import hmac
import json
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from ..emails import practice_context
from ..emails.message import EmailKind, compose
from ..emails.transports.base import Failure, Transport
from ..emails.transports.sendgrid import SendGrid
from ..emails.transports.smtp import Smtp
from ..outbound import connections, request
from ..settings import Settings

AGAIN = timedelta(days=1)
SECONDS = 10
FIXED = "Fixed since we last wrote:"
NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Alarm:
    """The present faults, and reported ones that are fixed."""

    faults: Sequence[str]
    fixed: Sequence[str]


def tell(settings: Settings, faults: Sequence[str], now: datetime) -> list[str]:
    """Report `faults`, or that they are fixed; return why a channel failed.

    Changed numbers, such as how long an email has waited, don't make a fault new. Faults
    count as reported once one channel has worked.
    """
    path = settings.var_dir / "alarm.json"
    told, told_at = _told(path)
    is_same = sorted(map(_kind, told)) == sorted(map(_kind, faults))
    if is_same and (now < told_at + AGAIN or not faults):
        return []
    lasting = {_kind(one) for one in faults}
    alarm = Alarm(faults, [one for one in told if _kind(one) not in lasting])
    outcomes = [_tried(way) for way in _ways(settings, alarm, now)]
    if None in outcomes:
        outcomes.append(_tried(lambda: _remember(path, faults, now)))
    return [fault for fault in outcomes if fault]


def can_tell_of_email(settings: Settings) -> bool:
    """Say whether an alarm would get out while SendGrid fails."""
    return bool(settings.alarm_webhook or (settings.sendgrid_api_key and settings.smtp_url))


def _kind(fault: str) -> str:
    return NUMBER.sub("#", fault)


def _told(path: Path) -> tuple[list[str], datetime]:
    """Return the last reported faults and their time; none when the file can't be read."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        told = json.loads(path.read_bytes())
        faults = [str(one) for one in told["faults"]]
        return faults, datetime.fromisoformat(told["at"]).astimezone(UTC)
    return [], datetime.min.replace(tzinfo=UTC)


def _remember(path: Path, faults: Sequence[str], now: datetime) -> None:
    """Replace the record of the last report atomically; ValueError when that fails."""
    whole = path.with_suffix(".new")
    try:
        whole.write_text(json.dumps({"faults": list(faults), "at": now.isoformat()}))
        whole.replace(path)
    except OSError as error:
        raise ValueError(f"VAR_DIR: the alarm will be repeated ({error.strerror})") from None


def _tried(way: Callable[[], None]) -> str | None:
    """Try one channel; return why it failed, or None."""
    try:
        way()
    except ValueError as fault:
        return str(fault)
    return None


def _ways(settings: Settings, alarm: Alarm, now: datetime) -> Iterator[Callable[[], None]]:
    """Yield a function for each configured channel; it raises ValueError on failure."""
    if settings.alarm_webhook:
        address = settings.alarm_webhook.get_secret_value()
        yield lambda: _post(settings, address, alarm, now)
    if settings.smtp_url or settings.sendgrid_api_key:
        transport = Smtp(settings) if settings.smtp_url else SendGrid(settings)
        for recipient in settings.sales_to:
            yield partial(_email, transport, settings, recipient, alarm)


def _email(transport: Transport, settings: Settings, recipient: str, alarm: Alarm) -> None:
    message = compose(
        EmailKind.ALARM,
        to=recipient,
        faults=alarm.faults,
        fixed=alarm.fixed,
        host=urlsplit(settings.public_url).hostname,
        **practice_context(settings),
    )
    try:
        transport.send(message, uuid.uuid4().hex)
    except Failure as refusal:
        raise ValueError(f"alarm: no email could be sent ({refusal.reason})") from None


def _post(settings: Settings, address: str, alarm: Alarm, now: datetime) -> None:
    body = json.dumps(_payload(settings, alarm, now)).encode()
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


def _payload(settings: Settings, alarm: Alarm, now: datetime) -> dict[str, object]:
    faults, fixed = list(alarm.faults), list(alarm.fixed)
    host = urlsplit(settings.public_url).hostname
    lines = [f"{host} needs your attention:" if faults else f"{host}: all problems are fixed."]
    lines += faults
    if faults and fixed:
        lines += [FIXED, *fixed]
    return {
        "type": "check.failed" if faults else "check.passed",
        "timestamp": now.isoformat(),
        "data": {"site": settings.public_url, "faults": faults, "fixed": fixed},
        "text": "\n".join(lines),
    }


def signature(secret: str, name: str, at: str, body: bytes) -> str:
    """Return the `webhook-signature` of the specification; `secret` is `whsec_` and base64."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.digest(key, b".".join((name.encode(), at.encode(), body)), "sha256")
    return f"v1,{base64.b64encode(signed).decode()}"
