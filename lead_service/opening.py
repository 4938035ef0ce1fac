"""Open what a command works on, or say in one line why it cannot."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from . import leads, schema, settings
from .db import Database
from .settings import Settings


@contextmanager
def opened() -> Iterator[tuple[Settings, Database]]:
    """Open the database of the settings, and refuse one whose schema is not this program's."""
    loaded = settings.load()
    with schema.opened(loaded) as database:
        if fault := schema.fault(database):
            raise click.ClickException(fault)
        yield loaded, database


def known_address(_context: click.Context, _option: click.Parameter, text: str) -> str:
    """Refuse what is no mail address before anything is opened."""
    try:
        leads.normalize(text.strip())
    except ValueError as fault:
        raise click.ClickException(f"{text!r} is not a mail address: {fault}") from None
    return text.strip()
