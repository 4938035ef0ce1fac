"""What programs ask: whether we live and are ready, and where to report a weakness.

Problems with email make us neither dead nor unready.
"""

from datetime import timedelta

from flask import Blueprint, Response

from .. import clock
from ..db import schema
from .context import context

SECURITY_TXT_FOR = timedelta(days=180)

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> tuple[str, int]:
    """Say that the process lives."""
    return "ok\n", 200


@blueprint.get("/.well-known/security.txt")
def security_txt() -> Response:
    """Say where to report a weakness (RFC 9116)."""
    settings, until = context().settings, clock.now() + SECURITY_TXT_FOR
    lines = (
        f"Contact: mailto:{settings.practice_email}",
        f"Expires: {until:%Y-%m-%dT00:00:00Z}",
        "Preferred-Languages: en",
        f"Canonical: {settings.link('/.well-known/security.txt')}",
    )
    return Response("\n".join(lines) + "\n", mimetype="text/plain")


@blueprint.get("/readyz")
def readyz() -> tuple[str, int]:
    """Say whether the database answers, has the schema of this program and takes what is stored."""
    database = context().database
    try:
        fault = database.fault() or schema.fault(database)
    except Exception as error:  # whatever the driver raises, the answer is the same
        fault = f"database: {type(error).__name__}"
    return (fault + "\n", 503) if fault else ("ready\n", 200)
