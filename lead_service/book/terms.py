"""What a form says of a call: its length, how it takes place, and with whom.

The form posts it back, so that nothing changes silently between reading and booking. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from .hosts.models import Host

VIDEO, PHONE = "video", "phone"


@dataclass(frozen=True)
class Terms:
    """The possible lengths (minutes) and ways to meet, and the host's id if only one is named."""

    lengths: frozenset[int]
    ways: frozenset[str]
    host_id: int = 0

    def allow(self, host: Host) -> bool:
        """Say whether a call with this host is what the form said."""
        return (
            host.duration in self.lengths
            and way(host) in self.ways
            and self.host_id in (0, host.id)
        )

    def __str__(self) -> str:
        lengths = "+".join(str(minutes) for minutes in sorted(self.lengths))
        return f"{lengths} {'+'.join(sorted(self.ways))} {self.host_id}"


def way(host: Host) -> str:
    """Return how a host meets visitors."""
    return VIDEO if host.meeting_link else PHONE


def terms_of(hosts: Iterable[Host]) -> Terms:
    """Return the terms of a form that any of these hosts may serve."""
    hosts = list(hosts)
    return Terms(
        frozenset(host.duration for host in hosts),
        frozenset(map(way, hosts)),
        hosts[0].id if len(hosts) == 1 else 0,
    )


def parse_terms(text: str) -> Terms | None:
    """Read what a form posted back; None when it is missing or malformed."""
    try:
        lengths, ways, host_id = text.split(" ")
        return Terms(
            frozenset(map(int, lengths.split("+"))), frozenset(ways.split("+")), int(host_id)
        )
    except ValueError:
        return None
