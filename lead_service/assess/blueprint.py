"""The self-assessment's address, and finding what a token in it stands for."""

from flask import Blueprint, abort

from ..action_framework.types import Framework
from ..web.context import context
from . import models

blueprint = Blueprint("assess", __name__, url_prefix="/assessment")


def find_or_404(token: str) -> tuple[models.Assessment, Framework]:
    """Find an assessment, for reading only, and its framework.

    Unknown, expired and deleted look the same: 404.
    """
    with context().database.look() as connection:
        assessment = models.find_row(connection, token)
        if assessment is None:
            abort(404)
        return assessment, models.framework_of(connection, assessment)
