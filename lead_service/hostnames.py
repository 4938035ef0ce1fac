"""Check host names that people type: valid ones, and placeholders such as example.com."""

import re

LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
# Reserved: no one can register these (RFC 2606).
RESERVED = re.compile(r"(.*\.)?(example|test|invalid|example\.(com|net|org))")


def is_host(host: str) -> bool:
    """Say whether this is a valid host name (RFC 1123) or an IPv6 address.

    International names are checked in their encoded form, in which `…` is three empty labels.
    """
    if ":" in host:
        return True
    try:
        labels = host.encode("idna").decode().lower().removesuffix(".").split(".")
    except UnicodeError:  # an empty label, or one that is too long
        return False
    return all(map(LABEL.fullmatch, labels))


def is_placeholder(host: str) -> bool:
    """Say whether a host name is a placeholder to fill in: `…`, example.com."""
    return not is_host(host) or RESERVED.fullmatch(host.lower().rstrip(".")) is not None
