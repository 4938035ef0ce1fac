"""The checks of a load balancer. Problems with email affect neither."""

from flask import Blueprint

from ..db import schema
from .context import context

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> tuple[str, int]:
    """Say that the process is alive."""
    return "ok\n", 200


@blueprint.get("/readyz")
def readyz() -> tuple[str, int]:
    """Say whether the database answers, has this program's schema, and can be written."""
    database = context().database
    try:
        fault = database.fault() or schema.fault(database)
    except Exception as error:  # any error of the driver means not ready
        fault = f"database: {type(error).__name__}"
    return (fault + "\n", 503) if fault else ("ready\n", 200)
