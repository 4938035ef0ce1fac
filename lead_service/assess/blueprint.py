"""The self-assessment's blueprint, with functions that its pages share."""

from datetime import datetime

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
    with context().database.read() as session:
        assessment = models.find_assessment(session, token) or abort(404)
        remember(assessment, clock.now())
        return assessment, models.framework_of(session, assessment)


def remember(assessment: models.Assessment, made_at: datetime | None = None) -> None:
    """Keep an assessment and its source in the links of this page; `made_at` as in `reference`."""
    reference = models.reference(assessment, context().settings.secret, made_at)
    carried.remember(reference, assessment.came_from, assessment.source)
