"""Check addresses of calendars: https, on a public machine."""

import ipaddress
from urllib.parse import quote, urlsplit, urlunsplit

from ...hostnames import is_placeholder

LONGEST = 2000  # length of the column
ALIASES = {"webcal", "webcals", "feed"}
PORTS = {None, 443, 8443}  # so that no other service can be reached
LOOPBACK_NAMES = {"localhost", "127.0.0.1", "::1"}
# Forbidden beyond `is_global` in older versions of Python: IPv6 forms of hidden IPv4 addresses
# (6to4, Teredo and neighbors), their relays, protocol assignments
# (RFC 6890) and examples.
CLOSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("2002::/16", "2001::/23", "2001:db8::/32", "3fff::/20"),
        *("192.0.0.0/24", "192.88.99.0/24"),
    )
)
UNICAST = ipaddress.ip_network("2000::/3")  # the global unicast range of IPv6


def check(text: str, *, allow_loopback: bool = False) -> str:
    """Normalize a calendar's address; raise ValueError with a message for people.

    `webcal://`, `webcals://` and `feed://` mean https. A numeric address must
    be public; host names are checked at each reading. With `allow_loopback`, this
    machine is allowed too, also by http. No message repeats the address: it is a secret.
    """
    text = text.strip()
    if text[:11].lower() == "feed:https:":
        text = text[5:]
    if len(text) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters")
    if not text.isprintable() or " " in text:
        raise ValueError("must not contain spaces or line breaks")
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError:  # unbalanced brackets, an invalid port, or a label that is too long
        raise ValueError("is not an address") from None
    is_here = allow_loopback and host in LOOPBACK_NAMES
    if parts.scheme not in {"https", *ALIASES, *(["http"] if is_here else [])}:
        raise ValueError("must start with https:// or webcal://")
    if not host or port == 0:
        raise ValueError("is not an address")
    if not allow_loopback and port not in PORTS:
        raise ValueError("must use port 443 or 8443")
    if "@" in parts.netloc:
        raise ValueError("must not contain a user or a password")
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
    """Check an address typed by a member like `check`, and refuse placeholder hosts."""
    url = check(text, allow_loopback=allow_loopback)
    if is_placeholder(host_of(url)):
        raise ValueError("is a placeholder; paste the private address of the calendar (ICS)")
    return url


def is_allowed(address: str, *, allow_loopback: bool = False) -> bool:
    """Say whether an IP address may be connected to.

    Private, link-local, loopback, multicast and reserved ones may not, in whatever form: IPv4
    within IPv6 is judged by the IPv4 address (RFC 4291, section 2.5.5), and the mechanisms by
    which IPv6 reaches IPv4 are refused, NAT64 too.
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
    """Return the host of a calendar's address, which isn't secret."""
    return urlsplit(url).hostname or ""


def _is_number(host: str) -> bool:
    """Say whether a host is an IP address, in any notation that some system resolves as one."""
    last = host.rstrip(".").rpartition(".")[2]
    return ":" in host or last.isdigit() or last.startswith("0x")
