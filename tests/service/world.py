"""One of everything that an address can name, so that tests can go to every address there is."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from lead_service import clock, leads
from lead_service.book import agenda
from lead_service.book.host_models import CalendarFeed, DateOverride, Host, TimeOff
from lead_service.db import Database
from lead_service.emails import erasures
from lead_service.emails.models import EmailState, OutboxMessage, OutboxPause
from lead_service.settings import Settings
from tests.matching import match

from .desk import path_of_link, sign_in
from .hosts import add_host, add_past_call
from .journeys import VISITOR, assess, book, open_starts

ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass
class World:
    """A product in use: a lead with a result, a call, a note and mails; an admin and a member."""

    app: Flask
    client: FlaskClient  # the admin's browser
    database: Database
    settings: Settings
    known: dict[str, str] = field(default_factory=dict)
    more: list[str] = field(default_factory=list)  # pages of things in another state

    def forget_hits(self) -> None:
        """Let nobody have done anything too often."""
        self.app.extensions["lead_service"].limits.here.storage.reset()

    def fill(self, framework) -> None:
        """Make one of everything, by the ways that people take."""
        path_of_link(self.database, self.settings, "admin@example.com")
        sign_in(self.client, self.database, self.settings, "admin@example.com")
        unused = path_of_link(self.database, self.settings, "ann@example.com")
        # A result that is not shared, and mails that failed.
        self.more = [assess(self.client, framework), "/desk/outbox/?state=attention"]
        self.more += ["/desk/availability/2/person/", "/desk/availability/2/hours/"]
        self.more += ["/desk/calls/2/"]  # which is over
        result = assess(self.client, framework)
        self.client.post(f"{result}mail", data={"email": VISITOR["email"]})
        self.client.post(f"{result}share")
        booking = book(self.client, assessment=_token(result))
        self.database.write(self._trouble)
        host_id, calls_ics = self._second_host()
        shared = match(r"/assessment/shared/[^/]+/", self.client.get(result).text)[0]
        mail_id, not_me = self._mails()
        self.known = {
            **dict.fromkeys(("lead_id", "note_id", "call_id"), "1"),
            **dict.fromkeys(("date_id", "off_id", "feed_id"), "1"),
            "host_id": str(host_id),
            "part": "rules",
            "agenda": _token(calls_ics),
            "move": _token(booking),
            "member_id": "2",
            "mail_id": mail_id,
            "slug": "clarify",
            "start": open_starts(self.client)[3],
            "assess": _token(result),
            "assess.shared": _token(shared),
            **dict.fromkeys(("assess.not_me", "assess.not_me_submit"), _token(not_me)),
            "booking": _token(booking),
            "desk": _token(unused),
        }

    def _trouble(self, session: Session) -> None:
        """Note something, suspect the lead, let a mail fail, the sender stop, an erasure wait."""
        lead, now = session.get_one(leads.Lead, 1), clock.now()
        leads.add_note(session, lead, 1, "Call", now)
        lead.quarantine = True
        mail = session.scalars(select(OutboxMessage).filter_by(kind="new_lead")).first()
        assert mail
        mail.state, mail.alarm_at = EmailState.FAILED, now
        session.add(OutboxPause(id=1, stopped_at=now, stop_reason="the key was refused"))
        erasures.promise(session, ["gone@example.com"], now)

    def _second_host(self) -> tuple[int, str]:
        """Add a host with a date, time off and a calendar of their own, and a call that is over."""
        host_id = add_host(self.database)
        add_past_call(self.database)

        def work(session: Session) -> str:
            host, day = session.get_one(Host, host_id), clock.now().date()
            host.overrides = [DateOverride(day=day)]
            host.time_off = [TimeOff(first_day=day, last_day=day)]
            host.feeds = [CalendarFeed(url="https://calendar.example.com/x.ics", label="Own")]
            return agenda.link(self.settings, host)

        return host_id, self.database.write(work)

    def _mails(self) -> tuple[str, str]:
        """Return the id of a mail, and the path by which its recipient takes a result back."""
        with self.database.read() as session:
            mail = session.scalars(select(OutboxMessage).filter_by(kind="result")).one()
        return mail.id, match(r"/assessment/not-me/[^/]+/", mail.body or "")[0]

    def address(self, rule: Rule, **odd: str) -> str:
        """Return an address of a route; `odd` are arguments as they shall travel."""

        def value(found: re.Match) -> str:
            name, part = found[1], rule.endpoint.split(".")[0]
            places = (rule.endpoint, part) if name == "token" else (name,)
            known = [self.known[place] for place in places if place in self.known]
            assert known, f"{rule.rule}: world.py does not know what {name} is"
            return odd.get(name) or known[0]

        return ARGUMENT.sub(value, rule.rule)

    def routes(self, method: str) -> Iterator[tuple[str, Rule]]:
        """Go through every route that takes `method`: an address that is there, and its rule."""
        for rule in self.app.url_map.iter_rules():
            if method in (rule.methods or ()):
                yield self.address(rule), rule

    def endpoint(self, path: str) -> str:
        """Name the route that a form is sent to."""
        return self.app.url_map.bind("").match(path.partition("?")[0], method="POST")[0]


def _token(path: str) -> str:
    """Return the longest part of a path."""
    return max(path.split("/"), key=len)
