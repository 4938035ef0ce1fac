"""The commands: each says what it did, and exits non-zero when it could not."""

import json
import os
import sys
from pathlib import Path

import click

from . import backup as backups
from . import clock, log, published, schema, settings
from .db import Database, InUse
from .desk_commands import desk
from .host_commands import COMMANDS
from .opening import known_address, opened
from .settings import Settings, SettingsError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def commands() -> None:
    """Run the service behind the site, and look after its data."""


for command in (*COMMANDS, desk):
    commands.add_command(command)


def main() -> None:
    """Run a command; a wrong setting is one line each, never a traceback."""
    os.umask(0o077)  # what is written here is about people: for the owner's eyes alone
    try:
        commands()
    except SettingsError as error:
        for fault in error.faults:
            click.echo(f"lead-service: {fault}", err=True)
        sys.exit(2)
    except (schema.NewerSchema, backups.BackupError, InUse) as error:
        click.echo(f"lead-service: {error}", err=True)
        sys.exit(2)


@commands.command()
def serve() -> None:
    """Serve everything on this machine: migrate, web server and deliver process."""
    from . import serving

    serving.serve(settings.load())


@commands.command()
def web() -> None:
    """Run the web server alone (production)."""
    from . import serving

    loaded = settings.load()
    published.read(loaded)
    schema.require(loaded)
    serving.web(loaded)


@commands.command()
def deliver() -> None:
    """Send what the outbox holds and read the hosts' calendars, until stopped."""
    from . import serving

    loaded = settings.load()
    log.configure(loaded.log_level)
    schema.require(loaded)
    serving.deliver(loaded)


@commands.command()
def migrate() -> None:
    """Bring the database's schema to this program's version, and make the first host."""
    from .book import hosting

    loaded = settings.load()
    with schema.opened(loaded) as database:
        if loaded.backup_dir and schema.is_older(database):
            _back_up(loaded, database)
        schema.migrate(database)
        is_first = database.write(lambda session: hosting.seed(session, loaded))
    click.echo("schema: up to date")
    if is_first:
        click.echo("host: the first is made; `lead-service host` shows and changes it")


@commands.command()
def check() -> None:
    """Check settings, site, database and mail; exit 1 when something needs a person."""
    from . import checking

    faults = checking.faults(settings.load())
    for fault in faults:
        click.echo(fault, err=True)
    if faults:
        sys.exit(1)
    click.echo("all is well")


@commands.command()
@click.option("--remove", "is_over", is_flag=True, help="Remove the made-up data, nothing else.")
def demo(is_over: bool) -> None:
    """Fill the database with made-up leads, calls, assessments and emails, to try the desk."""
    from . import demo as made_up

    if is_over:
        with opened() as (_, database):
            counts = database.write(lambda session: made_up.remove(session, clock.now()))
            database.forget()
        click.echo(f"demo: removed {counts['lead']} leads" if counts else "demo: nothing to remove")
        return
    try:
        made_at = made_up.set_up(settings.load(), clock.now())
    except made_up.NoDemo as refusal:
        raise click.ClickException(str(refusal)) from None
    if made_at:
        click.echo(f"demo: the made-up data of {made_at:%Y-%m-%d} is still there")
        click.echo("For fresh dates, remove it and run this again.")
    click.echo("Run `make serve` and open the desk by the link that it prints.")
    click.echo("Remove the made-up data with `lead-service demo --remove`.")


@commands.command()
def resume() -> None:
    """Send mail again, after what had stopped it was mended."""
    from .emails import outbox

    with opened() as (_, database):
        database.write(outbox.resume)
    click.echo("sending goes on")


@commands.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
def backup(file: Path | None) -> None:
    """Write a copy of the database to FILE, or to BACKUP_DIR, while the service runs.

    Copies in BACKUP_DIR that are older than BACKUP_DAYS are deleted.
    """
    loaded = settings.load()
    with schema.opened(loaded) as database:
        _back_up(loaded, database, file)


def _back_up(loaded: Settings, database: Database, file: Path | None = None) -> None:
    path = file or backups.path_for(loaded, clock.now())
    contents = backups.make(database, path)
    click.echo(f"backup: {path} holds {contents}")
    if file is None and (gone := backups.prune(loaded, clock.now())):
        click.echo(f"backup: older ones deleted: {gone}")


@commands.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Also when the database holds people's data.")
def restore(file: Path, replace: bool) -> None:
    """Put the backup FILE in the place of the database; stop `web` and `deliver` first."""
    loaded = settings.load()
    with schema.opened(loaded) as database:
        contents = backups.restore(database, loaded, file, clock.now(), replace=replace)
        click.echo(f"restored: {contents}")
        if fault := schema.fault(database):
            click.echo(fault, err=True)


@commands.command()
@click.argument("address", callback=known_address)
def export(address: str) -> None:
    """Print everything that is held about ADDRESS, as JSON."""
    from . import privacy

    with opened() as (loaded, database), database.read() as session:
        held = privacy.export(session, loaded, address)
    click.echo(json.dumps(held, indent=2, ensure_ascii=False))


@commands.command()
@click.argument("address", callback=known_address)
@click.confirmation_option(prompt="Erase everything about this address for good?")
def erase(address: str) -> None:
    """Erase everything that is held about ADDRESS."""
    from . import privacy

    with opened() as (loaded, database):
        counts = privacy.erase_everywhere(database, loaded, address, clock.now())
    click.echo(json.dumps(counts))
    for copy in backups.kept(loaded):
        click.echo(f"held by {copy.path} until {copy.until:%Y-%m-%d}", err=True)


@commands.command("retention")
@click.option("--dry-run", is_flag=True, help="Count only; erase nothing.")
def sweep(dry_run: bool) -> None:
    """Erase what has been kept for its time. The deliver process does so daily."""
    from . import retention

    with opened() as (loaded, database):
        counts = retention.run(database, loaded, clock.now(), dry_run=dry_run)
    click.echo(json.dumps(counts))
