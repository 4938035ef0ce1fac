"""The self-assessment's blueprint, with functions that its pages share."""

from flask import Blueprint, abort

from .. import clock
from ..action_framework.types import Framework
from ..web import carried
from ..web.context import context
from . import models

blueprint = Blueprint("assess", __name__, url_prefix="/assessment")


def find_or_404(token: str) -> tuple[models.Assessment, Framework]:
    """Find an assessment, for reading only, and its framework.

    Unknown, expired and deleted ones all give 404.
    """
    with context().database.look() as connection:
        assessment = models.find_row(connection, token)
        if assessment is None:
            abort(404)
        remember(assessment)
        return assessment, models.framework_of(connection, assessment)


def remember(assessment: models.Assessment) -> None:
    """Keep an assessment and its source in the links of this page."""
    reference = models.reference(assessment, context().settings.secret, clock.now())
    carried.remember(reference, assessment.came_from, assessment.source)
