"""The desk's pages, all behind the one door of `blueprint`."""

from . import (
    erasing,
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
    "blueprint",
    "erasing",
    "inbox",
    "lead_page",
    "outbox_actions",
    "outbox_page",
    "people",
    "sign_in",
    "trail",
]
