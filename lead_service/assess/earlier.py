"""Find the earlier result that an assessment repeats, and compare the two."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from . import retake
from .diagnosis import Diagnosis, diagnose
from .models import Assessment, framework_of


def since(
    session: Session,
    assessment: Assessment,
    now: Diagnosis,
    *,
    lead_id: int | None = None,
) -> retake.Comparison | None:
    """Compare with the repeated result, if it is still stored and complete.

    With `lead_id`, another lead's result isn't compared, since the team reads the comparison.
    """
    earlier = _repeated_by(session, assessment)
    if earlier is None or earlier.completed_at is None:
        return None
    if lead_id and earlier.lead_id not in (None, lead_id):
        return None
    before = diagnose(framework_of(session, earlier), earlier.answers, earlier.phase)
    by_share_link = earlier.share_hash == assessment.earlier_hash
    is_theirs = lead_id is not None and earlier.lead_id == lead_id
    is_shared = by_share_link and not is_theirs
    return retake.compare(before, now, earlier.completed_at, is_shared=is_shared)


def _repeated_by(session: Session, assessment: Assessment) -> Assessment | None:
    """Return the repeated assessment; a shared one only while its share link is open."""
    if (earlier := assessment.earlier_hash) is None:
        return None
    is_it = or_(Assessment.token_hash == earlier, Assessment.share_hash == earlier)
    return session.scalar(select(Assessment).where(is_it))
