"""What a load balancer asks. Problems with email make us neither dead nor unready."""

from flask import Blueprint

from ..db import schema
from .context import context

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> tuple[str, int]:
    """Say that the process lives."""
    return "ok\n", 200


@blueprint.get("/readyz")
def readyz() -> tuple[str, int]:
    """Say whether the database answers, has the schema of this program and takes what is stored."""
    database = context().database
    try:
        fault = database.fault() or schema.fault(database)
    except Exception as error:  # whatever the driver raises, the answer is the same
        fault = f"database: {type(error).__name__}"
    return (fault + "\n", 503) if fault else ("ready\n", 200)
