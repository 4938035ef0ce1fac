"""Hosts in the addresses that people type: which can exist, and which only stand for one."""

import re

LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
# Reserved: no one can register these (RFC 2606).
RESERVED = re.compile(r"(.*\.)?(example|test|invalid|example\.(com|net|org))")


def is_host(host: str) -> bool:
    """Say whether a machine can have this name (RFC 1123), or whether it is an IPv6 address.

    International names are judged by their encoded form, in which `…` is three empty labels.
    """
    if ":" in host:
        return True
    try:
        labels = host.encode("idna").decode().lower().removesuffix(".").split(".")
    except UnicodeError:  # an empty label, or one that is too long
        return False
    return all(map(LABEL.fullmatch, labels))


def is_placeholder(host: str) -> bool:
    """Say whether a host stands for one that is still to be filled in: `…`, example.com."""
    return not is_host(host) or RESERVED.fullmatch(host.lower().rstrip(".")) is not None
