"""Which addresses of calendars may be read: https, and a public machine at the other end."""

import ipaddress
from urllib.parse import quote, urlsplit, urlunsplit

from ...hostnames import is_placeholder

LONGEST = 2000  # as the column has it
ALIASES = {"webcal", "webcals", "feed"}
PORTS = {None, 443, 8443}  # so that no other service of a machine can be asked
LOOPBACK_NAMES = {"localhost", "127.0.0.1", "::1"}
# Beyond what `is_global` knows in every version of Python: IPv6 that stands for IPv4 addresses
# which are not seen in it (6to4, Teredo and its neighbors), their relays, protocol assignments
# (RFC 6890) and examples.
CLOSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("2002::/16", "2001::/23", "2001:db8::/32", "3fff::/20"),
        *("192.0.0.0/24", "192.88.99.0/24"),
    )
)
UNICAST = ipaddress.ip_network("2000::/3")  # all of IPv6 that is assigned to the internet


def check(text: str, *, allow_loopback: bool = False) -> str:
    """Return a calendar's address as it will be asked for; raise ValueError in words.

    `webcal://`, `webcals://` and `feed://` are https by other names. An address in numbers must
    be public; where a name leads is asked each time that it is read. With `allow_loopback` this
    machine is allowed too, by http as well. No message repeats the address: it is a secret.
    """
    text = text.strip()
    if text[:11].lower() == "feed:https:":
        text = text[5:]
    if len(text) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters")
    if not text.isprintable() or " " in text:
        raise ValueError("must not hold spaces or line breaks")
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError:  # brackets that do not close, a port that is no number, a label too long
        raise ValueError("is not an address") from None
    is_here = allow_loopback and host in LOOPBACK_NAMES
    if parts.scheme not in {"https", *ALIASES, *(["http"] if is_here else [])}:
        raise ValueError("must start with https:// or webcal://")
    if not host or port == 0:
        raise ValueError("is not an address")
    if not allow_loopback and port not in PORTS:
        raise ValueError("must use port 443 or 8443")
    if "@" in parts.netloc:
        raise ValueError("must not hold a user or a password")
    if _is_number(host) and not is_allowed(host, allow_loopback=allow_loopback):
        raise ValueError("must name a machine on the internet")
    place = f"[{host}]" if ":" in host else host
    return urlunsplit(
        (
            "http" if parts.scheme == "http" else "https",
            f"{place}:{port}" if port else place,
            quote(parts.path or "/", safe="/%:=~+!$&'()*,;@"),
            quote(parts.query, safe="/?%:=~+!$&'()*,;@"),
            "",
        )
    )


def check_typed(text: str, *, allow_loopback: bool = False) -> str:
    """Check an address typed by a member: as `check`, and refuse placeholder hosts."""
    url = check(text, allow_loopback=allow_loopback)
    if is_placeholder(host_of(url)):
        raise ValueError("is a placeholder; paste the private address of the calendar (ICS)")
    return url


def is_allowed(address: str, *, allow_loopback: bool = False) -> bool:
    """Say whether an IP address may be connected to.

    Private, link-local, loopback, multicast and reserved ones may not, in whatever form: IPv4
    within IPv6 is judged by what is within (RFC 4291, section 2.5.5), and the ways through
    which IPv6 reaches IPv4 are closed, NAT64 too.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    if found.is_loopback:
        return allow_loopback
    if found.version == 6 and found not in UNICAST:
        return False
    is_closed = found.is_multicast or found.is_reserved or any(found in net for net in CLOSED)
    return found.is_global and not is_closed


def host_of(url: str) -> str:
    """Return the part of a calendar's address that may be shown."""
    return urlsplit(url).hostname or ""


def _is_number(host: str) -> bool:
    """Say whether a host is an IP address, in any notation that some system resolves as one."""
    last = host.rstrip(".").rpartition(".")[2]
    return ":" in host or last.isdigit() or last.startswith("0x")
