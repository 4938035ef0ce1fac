"""Visitors who send forms all at once, and retry when they get no response."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import select

from lead_service.db.engine import Database
from lead_service.emails.models import OutboxMessage
from lead_service.leads.models import Lead, LeadEvent
from tests.support.processes import Answer, Product, contact_form


@dataclass
class Crowd:
    """Visitors of a product that may be killed; each sends a form until it is accepted."""

    acknowledged: set[str] = field(default_factory=set)  # addresses of forms that got a 303
    answered: Counter[int] = field(default_factory=Counter)
    sent: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _going: threading.Event = field(default_factory=threading.Event)
    _visitors: list[threading.Thread] = field(default_factory=list)

    def come(self, product: Product, visitors: int = 4) -> None:
        """Send forms, one after the other on each connection, until `leave`."""
        self._going.set()
        self._visitors = [
            threading.Thread(target=self._keep_writing, args=(product,)) for _ in range(visitors)
        ]
        for visitor in self._visitors:
            visitor.start()

    def leave(self) -> None:
        """Stop sending, and wait for the forms on their way."""
        self._going.clear()
        for visitor in self._visitors:
            visitor.join()

    def _keep_writing(self, product: Product) -> None:
        while self._going.is_set():
            with self._lock:
                self.sent += 1
                number = self.sent
            while self._going.is_set() and self.write(product, number).status != 303:
                time.sleep(0.05)

    def write(self, product: Product, number: int) -> Answer:
        """Send the form of the visitor of that number, the same one each time."""
        form = contact_form(number)
        answer = product.post("/contact/", form)
        with self._lock:
            self.answered[answer.status] += 1
            if answer.status == 303:
                self.acknowledged.add(form["email"])
        return answer


@dataclass(frozen=True)
class Books:
    """The counts of events and emails by each lead's address in a database."""

    events: Counter[str]
    mails: Counter[str]
    states: dict[str, str]  # by the email's id

    def check(self, acknowledged: set[str]) -> None:
        """Check that each accepted form is stored once, with its event and both emails."""
        assert acknowledged <= set(self.events), "a lead is lost"
        assert set(self.events.values()) <= {1}, "a form counted twice"
        both = Counter(dict.fromkeys(self.events, 2))  # to the team, and to the visitor
        assert self.mails == both, "a lead without its emails, or an email without its lead"


def books(url: str) -> Books:
    """Count a database's events and emails."""
    database = Database(url)
    with database.read() as session:
        events = session.scalars(select(Lead.address).outerjoin(LeadEvent)).all()
        mails = session.scalars(select(Lead.address).join(OutboxMessage)).all()
        states = session.execute(select(OutboxMessage.id, OutboxMessage.state)).all()
    database.close()
    return Books(Counter(events), Counter(mails), {id: state for id, state in states})
