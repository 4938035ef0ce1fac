"""Count waiting and failed emails in the outbox, for the desk and `lead-service check`."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, distinct, exists, func, select
from sqlalchemy.orm import Session

from ..leads.models import Lead, Stage
from .message import EmailKind
from .models import RINGS, EmailState, ErasureJob, OutboxMessage, OutboxPause
from .outbox import HAD_ENOUGH, IS_RESTORED

LATE = timedelta(minutes=15)  # waiting longer raises an alarm


@dataclass(frozen=True)
class Health:
    """The state of the outbox, for the banner on the desk and for `lead-service check`.

    Failed emails count until someone marks them as seen.
    """

    waiting: int  # due emails, not sent yet
    oldest: timedelta | None  # how long the oldest of them has waited
    failed: int
    why_failed: str  # reason of the latest failure
    dead: int
    returned: int  # sent, then bounced
    never_told: int  # emails about a call that weren't sent in time
    paused_until: datetime | None
    stopped_at: datetime | None
    stop_reason: str
    restored: int  # held since a backup was restored
    too_many: int  # held because of the limit per mailbox
    floods: int  # hours of the last day with a flood of messages
    unerased: int  # addresses whose erasure at the provider needs a person

    @property
    def troubles(self) -> tuple[str, ...]:
        """One sentence for each problem; empty if there is none."""
        troubles = []
        if self.stopped_at:
            troubles.append(f"We\u2019ve stopped sending email, because {self.stop_reason}.")
        if self.oldest and self.oldest > LATE:
            troubles.append(f"The oldest email has been waiting for {_in_words(self.oldest)}.")
        if self.failed:
            latest = f" The latest: {self.why_failed}." if self.why_failed else ""
            troubles.append(f"Emails that failed for good: {self.failed}.{latest}")
        if self.dead:
            troubles.append(f"Emails given up after days of retries: {self.dead}.")
        if self.returned:
            troubles.append(f"Emails that bounced: {self.returned}.")
        if self.never_told:
            told = f"Visitors whom we never told about their call: {self.never_told}"
            troubles.append(f"{told}. Call or write to them yourself.")
        if self.restored:
            held = f"Emails held since a backup was restored: {self.restored}"
            troubles.append(f"{held}. Send or cancel them on the desk.")
        if self.too_many:
            enough = f"Emails held because one address got too many: {self.too_many}"
            troubles.append(f"{enough}. Release or erase their leads on the desk.")
        if self.floods:
            flood = f"Hours with a burst of possible spam in the last day: {self.floods}"
            troubles.append(f"{flood}. Check \u201cPossible spam\u201d on the desk.")
        if self.unerased:
            refused = f"Addresses that SendGrid has not erased: {self.unerased}"
            troubles.append(f"{refused} (see Team, Privacy).")
        return tuple(troubles)

    @property
    def is_paused(self) -> bool:
        """Whether sending has stopped or is paused."""
        return bool(self.stopped_at or self.paused_until)

    @property
    def unseen(self) -> int:
        """How many failed emails no one has marked as seen."""
        return self.failed + self.dead + self.returned + self.never_told


def _in_words(wait: timedelta) -> str:
    for name, unit in (("days", timedelta(days=1)), ("hours", timedelta(hours=1))):
        if wait >= 2 * unit:
            return f"{wait // unit} {name}"
    return f"{wait // timedelta(minutes=1)} minutes"


def health(session: Session, now: datetime) -> Health:
    """Count waiting and failed emails, as of `now`."""
    is_open = OutboxMessage.state.in_((EmailState.PENDING, EmailState.SENDING))
    waits = and_(is_open, OutboxMessage.due_at <= now)
    query = select(func.count(), func.min(OutboxMessage.due_at)).where(waits)
    waiting, oldest = session.execute(query).one()
    # Counted in Python, because SQLite would read the whole table to group the rows.
    wrong = Counter(session.scalars(select(OutboxMessage.state).where(RINGS)))
    failed = and_(RINGS, OutboxMessage.state == EmailState.FAILED)
    latest = select(OutboxMessage.reason).where(failed).order_by(OutboxMessage.alarm_at.desc())
    pause = session.get(OutboxPause, 1)
    since = now - timedelta(days=1)
    recent = (Lead.created_at > since, Lead.touched_at > since)  # the second uses an index
    left = exists().where(Lead.quarantine, Lead.stage == Stage.NEW, *recent)
    flood = and_(OutboxMessage.created_at > since, OutboxMessage.kind == EmailKind.FLOOD, left)
    until = pause.paused_until if pause else None
    return Health(
        waiting=waiting,
        oldest=now - oldest if oldest else None,
        failed=wrong[EmailState.FAILED],
        why_failed=(session.scalar(latest.limit(1)) or "") if wrong[EmailState.FAILED] else "",
        dead=wrong[EmailState.DEAD],
        returned=wrong[EmailState.SENT],
        never_told=wrong[EmailState.EXPIRED],
        paused_until=until if until and until > now and not (pause and pause.stopped_at) else None,
        stopped_at=pause.stopped_at if pause else None,
        stop_reason=pause.stop_reason if pause else "",
        restored=session.scalar(select(func.count()).where(IS_RESTORED)) or 0,
        too_many=session.scalar(select(func.count()).where(HAD_ENOUGH)) or 0,
        floods=session.scalar(select(func.count(distinct(OutboxMessage.due_at))).where(flood)) or 0,
        unerased=session.scalar(select(func.count(ErasureJob.alarm_at))) or 0,
    )
