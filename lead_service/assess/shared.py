"""A result as its owner shows it to others: scores and conditions, nobody's words, no buttons."""

from flask import abort, render_template

from ..context import context
from . import models, scoring, words
from .blueprint import blueprint


@blueprint.get("/shared/<token>/")
def shared(token: str) -> str:
    """Show a shared result; a link that was revoked looks like one that never was."""
    with context().database.read() as session:
        assessment = models.find_shared(session, token) or abort(404)
        framework = models.framework_of(session, assessment)
    return render_template(
        "assess/shared.html",
        framework=framework,
        result=scoring.score(framework, assessment.answers),
        words=words,
        is_current=framework.version == context().published.framework.version,
        completed_at=assessment.completed_at,
    )
