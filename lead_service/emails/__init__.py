"""Compose emails, keep them in the outbox, and send them."""

from typing import Any

from ..settings import Settings
from .message import Practice


def practice_context(settings: Settings) -> dict[str, Any]:
    """Return what the layout of every email shows: `practice` (the sender) and `site`."""
    return {
        "practice": Practice(
            name=settings.practice_name,
            legal_name=settings.practice_legal_name or settings.practice_name,
            postal_address=settings.practice_postal_address,
            email=settings.practice_email,
            phone=settings.practice_phone,
        ),
        "site": settings.public_url,
    }
