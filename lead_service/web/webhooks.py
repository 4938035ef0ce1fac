"""Webhooks for other programs, which verify the sender themselves."""

import logging

from flask import Blueprint, abort, request

from .. import clock
from ..emails import delivery_events
from ..headers import CONTENT_SECURITY_POLICY
from .context import context
from .security import client_address

EVENT_BYTES = 1024 * 1024
SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"

REPORT_BYTES, REPORTS = 16 * 1024, "10 per hour"  # per client
DIRECTIVES = [part.split()[0] for part in CONTENT_SECURITY_POLICY.split("; ")]
DIRECTIVES += ["script-src-elem", "script-src-attr", "style-src-elem", "style-src-attr"]

log = logging.getLogger(__name__)

blueprint = Blueprint("hooks", __name__, url_prefix="/hooks")


@blueprint.post("/sendgrid")
def sendgrid() -> tuple[str, int]:
    """Store the provider's signed delivery events; 404 without a key to verify them.

    200 means that they are stored. If they can't be stored, the response is 503,
    and the provider retries for a day.
    """
    key = context().settings.sendgrid_webhook_key or abort(404)
    request.max_content_length = EVENT_BYTES
    body, given = request.get_data(cache=False), request.headers
    if not delivery_events.is_genuine(
        key, body, given.get(SIGNATURE, ""), given.get(TIMESTAMP, "")
    ):
        return "The signature is not the provider's.\n", 403
    now = clock.now()
    try:
        told = delivery_events.parse_events(body, now)
    except ValueError:
        return "This is not a list of events.\n", 400
    fresh = context().database.write(
        lambda session: delivery_events.apply_events(session, told, now)
    )
    log.info("delivery events", extra={"told": len(told), "fresh": fresh})
    return "Kept.\n", 200


@blueprint.post("/csp")
def csp_report() -> tuple[str, int]:
    """Log the directive that a browser reports as violated, and nothing else of the report.

    Anyone can post here, so there is a limit per client and hour, and only the
    directives of our policy are accepted.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        abort(403)
    if context().limits.hit(REPORTS, "csp", client_address()):
        return "", 204
    request.max_content_length = REPORT_BYTES
    text = request.get_data(cache=False).decode("utf-8", "replace")
    refused = [name for name in DIRECTIVES if f'"{name}"' in text]
    log.warning("content security policy violation", extra={"directives": refused or ["unknown"]})
    return "", 204


csp_report.own_proof = True  # type: ignore[attr-defined]  # browsers send them by themselves
sendgrid.own_proof = True  # type: ignore[attr-defined]  # a signature instead of an origin
