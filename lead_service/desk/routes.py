"""The desk's pages, all behind the one door of `blueprint`."""

from . import (
    availability,
    call_pages,
    calls,
    erasing,
    exports,
    funnel,
    host_calendars,
    host_days,
    host_holidays,
    host_pages,
    inbox,
    lead_page,
    outbox_actions,
    outbox_page,
    people,
    sign_in,
    trail,
)
from .blueprint import blueprint

__all__ = [
    "availability",
    "blueprint",
    "call_pages",
    "calls",
    "erasing",
    "exports",
    "funnel",
    "host_calendars",
    "host_days",
    "host_holidays",
    "host_pages",
    "inbox",
    "lead_page",
    "outbox_actions",
    "outbox_page",
    "people",
    "sign_in",
    "trail",
]
