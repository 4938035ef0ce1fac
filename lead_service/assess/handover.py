"""Handing an assessment over to the sales team: the brief, from what is stored."""

from collections import defaultdict
from functools import lru_cache
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from .brief import Brief, Suggestions, brief, load_suggestions
from .framework import Framework
from .models import Assessment, framework_of, next_step
from .source import decoded

SUGGESTIONS = Path(__file__).parent / "brief.yml"
OF_AN_OLDER_VERSION = "What has changed here since you answered?"


def brief_of(session: Session, assessment: Assessment | None, current: Framework) -> Brief | None:
    """Return the brief of an assessment, or None while it is not complete.

    `current` is the published framework, for which the suggested questions are written; an
    assessment of an older version may ask about a question that they no longer know.
    """
    if assessment is None:
        return None
    framework = framework_of(session, assessment)
    if next_step(framework, assessment.answers):
        return None
    return brief(framework, assessment.answers, suggestions(current))


def brief_of_lead(session: Session, lead_id: int, current: Framework) -> Brief | None:
    """Return the brief of the latest self-assessment that a lead has completed, if any."""
    theirs = select(Assessment).where(
        Assessment.lead_id == lead_id, Assessment.completed_at.is_not(None)
    )
    latest = theirs.order_by(Assessment.completed_at.desc(), Assessment.id.desc()).limit(1)
    return brief_of(session, session.scalar(latest), current)


@lru_cache(maxsize=4)
def suggestions(current: Framework) -> Suggestions:
    """Load what the sales team may ask; raise SuggestionsError when the file is wrong."""
    known = load_suggestions(decoded(SUGGESTIONS.read_bytes()), current)
    return defaultdict(lambda: OF_AN_OLDER_VERSION, known)
