"""What a form says of a call: its length, how it takes place, and with whom.

The form posts it back, so that nothing changes silently between reading and booking. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ..call_types import PHONE, VIDEO, CallType
from .hosts.models import Host


@dataclass(frozen=True)
class Terms:
    """The length in minutes, the possible ways to meet, and the host's id if only one is named."""

    minutes: int
    ways: frozenset[str]
    host_id: int = 0

    def allow(self, host: Host, kind: CallType) -> bool:
        """Say whether a call of this kind with this host is what the form said."""
        return (
            kind.minutes == self.minutes
            and way(host, kind) in self.ways
            and self.host_id in (0, host.id)
        )

    def __str__(self) -> str:
        return f"{self.minutes} {'+'.join(sorted(self.ways))} {self.host_id}"


def way(host: Host, kind: CallType) -> str:
    """Return how a host and a visitor meet."""
    return kind.meet or (VIDEO if host.meeting_link else PHONE)


def terms_of(hosts: Iterable[Host], kind: CallType) -> Terms:
    """Return the terms of a form that any of these hosts may serve."""
    hosts = list(hosts)
    ways = frozenset(way(host, kind) for host in hosts)
    return Terms(kind.minutes, ways, hosts[0].id if len(hosts) == 1 else 0)


def parse_terms(text: str) -> Terms | None:
    """Read what a form posted back; None when it is missing or malformed."""
    try:
        minutes, ways, host_id = text.split(" ")
        return Terms(int(minutes), frozenset(ways.split("+")), int(host_id))
    except ValueError:
        return None
