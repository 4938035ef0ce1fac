"""What other programs tell us: each route here brings its own proof of who is asking."""

import logging

from flask import Blueprint, abort, request

from .. import clock
from ..emails import delivery_events
from .context import context

EVENT_BYTES = 1024 * 1024
SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"

log = logging.getLogger(__name__)

blueprint = Blueprint("hooks", __name__, url_prefix="/hooks")


@blueprint.post("/sendgrid")
def sendgrid() -> tuple[str, int]:
    """Take the provider's signed delivery events; without a key to check them there is no page.

    200 says that they are kept, or were before. While they cannot be kept the answer is 503,
    and the provider posts them again for a day.
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
        return "This is no list of events.\n", 400
    fresh = context().database.write(
        lambda session: delivery_events.apply_events(session, told, now)
    )
    log.info("delivery events", extra={"told": len(told), "fresh": fresh})
    return "Kept.\n", 200


sendgrid.own_proof = True  # type: ignore[attr-defined]  # a signature instead of an origin
