"""The terms of a call on the form: length, price, ways to meet, and host.

The form posts it back, so that nothing changes silently between reading and booking. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from ..call_types import PHONE, VIDEO, CallType
from .hosts.models import Host
from .models import Booking


@dataclass(frozen=True)
class Terms:
    """The length in minutes, the possible ways to meet, and the host's name if it is only one."""

    minutes: int
    ways: frozenset[str]
    price: str = ""
    host: str = ""

    def allow(self, host: Host, kind: CallType) -> bool:
        """Say whether a call of this kind with this host fits these terms."""
        agreed = (self.minutes, self.price) == (kind.minutes, kind.price)
        return agreed and way(host, kind) in self.ways and self.host in ("", host.name)

    def changes_from(self, before: "Terms | None") -> list[str]:
        """Describe each changed term, with its old and new value."""
        pairs = zip(before.details, self.details, strict=True) if before else ()
        return [
            f"{now or 'any available host'} instead of {was}"
            for was, now in pairs
            if was and was != now
        ]

    @property
    def details(self) -> tuple[str, ...]:
        ways = " or ".join(sorted(self.ways, reverse=True))
        return f"{self.minutes} minutes", self.price or "no price", f"by {ways}", self.host

    def __str__(self) -> str:
        return urlencode(vars(self) | {"ways": " ".join(sorted(self.ways))})


NO_TERMS = Terms(0, frozenset())  # of a form without terms: no call fits them


def way(host: Host, kind: CallType) -> str:
    """Return how a host and a visitor meet."""
    return kind.meet or (VIDEO if host.meeting_link else PHONE)


def agreed_terms(booking: Booking) -> Terms:
    """Return the terms of a call as it was booked, or last changed."""
    ways = frozenset({VIDEO if booking.meeting_link else PHONE})
    return Terms(booking.duration, ways, booking.price, booking.host.name)


def terms_of(hosts: Iterable[Host], kind: CallType) -> Terms:
    """Return the terms of a form that any of these hosts may serve."""
    hosts = list(hosts)
    ways = frozenset(way(host, kind) for host in hosts)
    return Terms(kind.minutes, ways, kind.price, hosts[0].name if len(hosts) == 1 else "")


def parse_terms(text: str) -> Terms | None:
    """Parse the terms that a form posted back; None if missing or malformed."""
    given = dict(parse_qsl(text, keep_blank_values=True))
    try:
        ways = frozenset(given["ways"].split())
        return Terms(int(given["minutes"]), ways, given["price"], given["host"])
    except (KeyError, ValueError):
        return None
