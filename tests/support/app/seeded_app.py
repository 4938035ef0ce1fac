"""An application with one record for each route's arguments, so that tests can open every route."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from lead_service import clock
from lead_service.accounts.members import Passkey
from lead_service.assess import models as assessments
from lead_service.book import bookings
from lead_service.book.hosts import feed
from lead_service.book.hosts.models import CalendarFeed, Host
from lead_service.book.models import Booking
from lead_service.db.engine import Database
from lead_service.desk.team import membership
from lead_service.emails import provider_erasure
from lead_service.emails.models import EmailState, OutboxMessage, OutboxPause
from lead_service.leads import models
from lead_service.settings import Settings
from lead_service.web.mailbox import mailbox_token
from lead_service.web.tokens import token_hash
from tests.support.matching import match

from .desk_client import path_of_link, sign_in

NOT_ME = "not-me/([^/]+)"
ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass
class SeededApp:
    """A product in use: a lead with a result, a call, a note and emails; an admin and a member."""

    app: Flask
    client: FlaskClient  # the admin's browser
    database: Database
    settings: Settings
    known: dict[str, str] = field(default_factory=dict)
    more: list[str] = field(default_factory=list)  # pages of records in other states

    def forget_hits(self) -> None:
        """Reset all rate limits."""
        self.app.extensions["lead_service"].limits.here.storage.reset()

    def fill(self) -> None:
        """Sign an admin in, add records that the made-up data lacks, and name one of each kind."""
        path_of_link(self.database, self.settings, "admin@example.com")
        for _ in range(2):  # in another browser, too
            sign_in(self.client, self.database, self.settings, "admin@example.com")
        self.database.write(_add_passkey)
        unused = path_of_link(self.database, self.settings, "ann@example.com")
        self.known = self.database.write(self._name_one_of_each)
        self.known |= {
            "part": "rules",
            "action": "seen",
            "passkey_id": "1",
            "session_id": "1",
            "slug": "clarify",
            "kind": "discovery",
            "desk": _token(unused),
        }
        times = self.client.get(f"/booking/{self.known['move']}/move/").text
        self.known["start"] = match(r"/move/(\d{8}T\d{4}Z)/", times)[1]

    def _name_one_of_each(self, session: Session) -> dict[str, str]:
        now = clock.now()
        session.add(
            OutboxPause(id=1, stopped_at=now, stop_reason="the provider refuses to send (401)")
        )
        provider_erasure.promise(session, ["gone@example.com"], now)
        host = session.scalars(select(Host).where(Host.name == "Jonas Berg")).one()
        host.feeds = [CalendarFeed(url="https://calendar.example.com/x.ics", label="Own")]
        session.flush()
        call = session.scalars(select(Booking).where(Booking.name == "Grace Holloway")).one()
        mail, result, not_me = _result(session, call.lead_id)
        other = session.scalars(select(Booking).where(Booking.name == "Henrik Falk")).one()
        self.more = self._in_other_states(session, host, call, other)
        answers = assessments.find_assessment(session, result)
        assert answers
        ids = {"lead": call.lead_id, "note": call.lead.notes[0].id, "call": call.id, "mail": mail}
        ids |= {"host": host.id, "date": host.overrides[0].id, "off": host.time_off[0].id}
        ids |= {"feed": host.feeds[0].id, "member": call.lead.notes[0].member_id}
        secret = self.settings.secret
        return {f"{name}_id": str(id) for name, id in ids.items()} | {
            "agenda": _token(feed.feed_link(self.settings, host)),
            **dict.fromkeys(("booking", "move"), bookings.manage_token(call, secret)),
            "assess": result,
            "assess.shared": assessments.share_token(answers, secret) or "",
            **dict.fromkeys(("assess.not_me", "assess.not_me_submit"), not_me),
            "mailbox": mailbox_token(secret, call.lead),
        }

    def _in_other_states(
        self, session: Session, host: Host, call: Booking, other: Booking
    ) -> list[str]:
        """Put further records into other states; return their pages."""
        now = clock.now()
        suspect = session.scalars(select(models.Lead.id).where(models.Lead.quarantine)).first()
        failed = session.scalars(select(OutboxMessage).filter_by(state=EmailState.FAILED)).one()
        failed.useless_after = None  # so that it can be retried
        waiting = session.scalars(
            select(OutboxMessage.id).filter_by(state=EmailState.PENDING)
        ).first()
        waiting_call = session.scalars(
            select(Booking).where(Booking.starts_at > now, Booking.id != call.id)
        ).first()
        assert waiting_call
        waiting_call.awaits_confirmation = True
        no_shows = (
            select(Booking.id).where(Booking.outcome == "no_show").order_by(Booking.id.desc())
        )
        missed = session.scalars(no_shows).first()  # others have booked again
        invited = (OutboxMessage.booking_id == missed, OutboxMessage.kind == "booking_again")
        session.execute(delete(OutboxMessage).where(*invited))
        another = _result(session, other.lead_id)[1]
        unshared = assessments.find_assessment(session, another)
        assert unshared
        assessments.unshare(unshared)  # an emailed result has a link to share
        return [
            f"/desk/calls/{waiting_call.id}/",
            f"/desk/leads/{suspect}/",
            f"/desk/leads/spam/?lead={suspect}",
            f"/desk/calls/{other.id}/",
            *(f"/desk/calls/{missed}/{page}" for page in ("", "again/")),
            "/desk/outbox/?state=attention",
            "/desk/?stage=new",
            *(f"/desk/outbox/{id}/" for id in (failed.id, waiting)),
            *(f"/desk/availability/{host.id}/{page}/" for page in ("person", "hours")),
            *(f"/assessment/{another}/result/{page}" for page in ("", "save/")),
        ]

    def address(self, rule: Rule, **odd: str) -> str:
        """Return an address of a route; `odd` are arguments to insert unquoted."""

        def value(found: re.Match) -> str:
            name, part = found[1], rule.endpoint.split(".")[0]
            places = (rule.endpoint, part) if name == "token" else (name,)
            known = [self.known[place] for place in places if place in self.known]
            assert known, f"{rule.rule}: seeded_app.py does not know what {name} is"
            return odd.get(name) or known[0]

        return ARGUMENT.sub(value, rule.rule)

    def routes(self, method: str) -> Iterator[tuple[str, Rule]]:
        """Yield an existing address and the rule of every route with `method`."""
        for rule in self.app.url_map.iter_rules():
            if method in (rule.methods or ()):
                yield self.address(rule), rule

    def endpoint(self, path: str) -> str:
        """Return the endpoint that a form is sent to."""
        return self.app.url_map.bind("").match(path.partition("?")[0], method="POST")[0]


def _result(session: Session, lead_id: int) -> tuple[str, str, str]:
    """Return the id of the email with a lead's result, a token for the result, and "not me"."""
    theirs = select(OutboxMessage).filter_by(kind="result", lead_id=lead_id)
    mail = session.scalars(theirs).one()
    answers = session.scalars(select(assessments.Assessment).filter_by(lead_id=lead_id)).one()
    token = f"the-result-of-{lead_id}"
    answers.token_hash = token_hash(token)
    return mail.id, token, match(f"/{NOT_ME}/", mail.body or "")[1]


def _add_passkey(session: Session) -> None:
    """Give the admin a passkey with an invalid key, which signs no one in."""
    admin = membership.find_member(session, "admin@example.com")
    given = {"credential_id": "aWQ", "public_key": "a2V5", "sign_count": 0}
    session.add(Passkey(name="Laptop", member=admin, created_at=clock.now(), **given))


def _token(path: str) -> str:
    """Return the longest part of a path."""
    return max(path.split("/"), key=len)
