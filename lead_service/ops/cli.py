"""The commands. Each prints its result, and exits non-zero on failure.

Errors are lines on stderr that begin with the program's name. Exit status 2 means wrong
arguments or settings; 1 means that the command failed or found a fault.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from click.exceptions import NoArgsIsHelpError

from .. import __version__, clock, logs, settings
from ..accounts.audit_log import Actor
from ..db import schema
from ..db.engine import Database, InUse, StorageBusy
from ..leads import capture
from ..privacy import backup_files
from ..settings import Settings, SettingsError
from . import backup as backups

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")


@contextmanager
def open_database() -> Iterator[tuple[Settings, Database]]:
    """Open the configured database; refuse one with another version of the schema.

    Creates neither folder nor database, so a mistyped path is an error.
    """
    loaded = settings.load(create=False)
    with schema.opened(loaded) as database:
        if fault := schema.fault(database):
            raise click.ClickException(fault)
        yield _as_served(loaded, database), database


def _as_served(loaded: Settings, database: Database) -> Settings:
    """Let links lead to the web server that runs here, unless PUBLIC_URL or PORT is set."""
    is_told = any(os.environ.get(name) for name in ("PUBLIC_URL", "PORT"))
    if not loaded.is_local or is_told or not (address := database.served_at()):
        return loaded
    return loaded.model_copy(update={"public_url": address})


def complain(*lines: str) -> None:
    """Write error lines to stderr, each with the program's name."""
    for line in lines:
        click.echo(f"lead-service: {line}", err=True)


def email_argument(_context: click.Context, _option: click.Parameter, text: str) -> str:
    """Check an argument that must be an email address, before opening the database."""
    try:
        capture.normalize_email(text.strip())
    except ValueError as fault:
        raise click.UsageError(f"{text!r} is not an email address: {fault}") from None
    return text.strip()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
def commands() -> None:
    """Run the service behind the site, and look after its data."""


def main(arguments: list[str] | None = None) -> None:
    """Run a command; report each error in one line, never by a traceback."""
    os.umask(0o077)  # files contain personal data, so only their owner may read them
    sys.exit(_run(arguments))


def _run(arguments: list[str] | None) -> int:
    """Run a command, by default this process's, and return its exit status."""
    try:
        return commands.main(arguments, "lead-service", standalone_mode=False) or 0
    except SettingsError as error:
        complain(*error.faults)
        return 2
    except NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.UsageError as error:
        where = f"; see `{error.ctx.command_path} -h`" if error.ctx else ""
        complain(" ".join(error.format_message().split()).rstrip(".") + where)
        return 2
    except click.ClickException as error:
        complain(error.format_message())
    except (schema.NewerSchema, backups.BackupError, InUse) as error:
        complain(str(error))
    except StorageBusy:
        complain("DATABASE_URL: another process keeps it locked; try again")
    except click.Abort:
        complain("canceled")
    return 1


@commands.command()
def serve() -> None:
    """Migrate, then run `web` and `deliver` on this machine."""
    from . import serving

    serving.serve(settings.load())


@commands.command()
def web() -> None:
    """Run the web server alone (production)."""
    from . import serving

    loaded = settings.load(create=False)
    serving.load_content(loaded)
    schema.require(loaded)
    serving.web(loaded)


@commands.command()
def deliver() -> None:
    """Send emails and read hosts' calendars until stopped."""
    from . import serving

    loaded = settings.load(create=False)
    logs.configure(loaded.log_level)
    schema.require(loaded)
    serving.deliver(loaded)


@commands.command()
def migrate() -> None:
    """Migrate the database to this version, and add the first host."""
    from ..book.hosts import setup

    loaded = settings.load()
    with schema.opened(loaded) as database:
        if loaded.backup_dir and schema.is_older(database):
            click.echo(_backup_in_words(_back_up(loaded, database)))
        schema.migrate(database)
        is_first = database.write(lambda session: setup.create_first_host(session, loaded))
    click.echo("schema: up to date")
    if is_first:
        click.echo("host: the first host is on the desk under Availability")


@commands.command()
@AS_JSON
@click.option("--tell", is_flag=True, help="Also send an alarm: webhook or email.")
@click.option("--every", type=click.IntRange(1), metavar="MINUTES", help="Repeat at intervals.")
def check(as_json: bool, tell: bool, every: int | None) -> None:
    """Check settings, site, database and email.

    Exits 1 when something needs attention, and 2 when the settings themselves are wrong.
    Writes nothing except a note of the alarm under VAR_DIR.
    """
    status = _check(as_json, tell)
    while every:
        time.sleep(every * 60)
        status = _check(as_json, tell)
    sys.exit(status)


def _check(as_json: bool, tell: bool) -> int:
    from . import alarms, checks

    notes: list[str] = []
    try:
        loaded, status = settings.load(create=False), 1
        try:
            faults = checks.faults(loaded)
        except Exception as error:  # report this to the receivers of alarms, too
            if isinstance(error, SettingsError) or not tell:
                raise
            faults = [f"check: it failed ({type(error).__name__})"]
        if tell:
            faults += alarms.tell(loaded, faults, clock.now())
        notes = checks.notes(loaded)
    except SettingsError as error:
        faults, status = error.faults, 2
        if tell:
            faults = [*faults, *alarms.tell(settings.load_what_is_right(), faults, clock.now())]
    if as_json:
        click.echo(json.dumps({"ok": not faults, "faults": faults}, ensure_ascii=False))
    elif faults:
        complain(*faults)
    else:
        click.echo("all is well")
    if notes and not as_json:
        click.echo("\n".join(notes))
    return status if faults else 0


@commands.command()
@click.option("--remove", "is_over", is_flag=True, help="Remove the made-up data.")
def demo(is_over: bool) -> None:
    """Fill the database with made-up data, to try the desk."""
    from . import demo as made_up

    if is_over:
        with open_database() as (_, database):
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
    click.echo("The made-up data is on the desk. `make serve` prints a link to it.")
    click.echo(f"Remove the data with `{sys.argv[0]} demo --remove`.")


@commands.group()
def desk() -> None:
    """Sign in to the desk."""


@desk.command()
@click.argument("address", callback=email_argument)
@click.option("--new", "is_new", is_flag=True, help="Make ADDRESS a member first.")
def link(address: str, is_new: bool) -> None:
    """Print a one-time sign-in link for ADDRESS.

    An address that is not a member's needs --new. A new member is an admin until an admin has
    signed in, and a plain member after that. Everything else about members is on the desk.
    """
    from ..desk.auth import links

    with open_database() as (loaded, database):
        try:
            member, made = database.write(
                lambda session: links.link_by_command(
                    session, loaded, address, clock.now(), may_add=is_new
                )
            )
        except links.NoSuchMember:
            unknown = f"{address} is not a member; check it, or add it with --new"
            raise click.ClickException(unknown) from None
    click.echo(f"{member.email}: {member.role}", err=True)
    click.echo(made)


@commands.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@AS_JSON
def backup(file: Path | None, as_json: bool) -> None:
    """Back up the database to FILE or BACKUP_DIR while it is in use.

    \b
        lead-service backup /var/backups/advisory/before-the-upgrade.backup
        BACKUP_DIR=/var/backups/advisory lead-service backup

    Without FILE, copies in BACKUP_DIR that are older than BACKUP_DAYS are deleted.
    """
    loaded = settings.load(create=False)
    if not (file or loaded.backup_dir):
        raise click.UsageError("give a file, or set BACKUP_DIR")
    with schema.opened(loaded) as database:
        made = _back_up(loaded, database, file)
        database.clean_up()  # in containers, only the tables' owner may vacuum
    click.echo(json.dumps(made) if as_json else _backup_in_words(made))


def _back_up(
    loaded: Settings, database: Database, file: Path | None = None
) -> dict[str, str | int]:
    """Write a backup; without `file`, into BACKUP_DIR, where old ones are then deleted."""
    path = file or backups.path_for(loaded, clock.now())
    contents = backups.make(database, path)
    gone = 0 if file else backups.prune(loaded, clock.now())
    return {
        "file": str(path),
        "leads": contents.leads,
        "emails": contents.mails,
        "deleted": gone,
    }


def _backup_in_words(made: dict[str, str | int]) -> str:
    said = "backup: {file} (leads: {leads}, emails: {emails})".format(**made)
    return said + (f"\nbackup: older ones deleted: {made['deleted']}" if made["deleted"] else "")


@commands.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Replace a database that contains data.")
def restore(file: Path, replace: bool) -> None:
    """Replace the database with the backup FILE.

    Stop `web` and `deliver` first: restore refuses to run while they use the database.
    """
    loaded = settings.load()
    with schema.opened(loaded) as database:
        contents = backups.restore(database, loaded, file, clock.now(), replace=replace)
        click.echo(f"restored {contents}")
        if fault := schema.fault(database):
            complain(fault)


@commands.command()
@click.argument("address", callback=email_argument)
def export(address: str) -> None:
    """Print everything stored about ADDRESS, as JSON."""
    from ..privacy import export as privacy_export

    with open_database() as (loaded, database):
        held = database.write(
            lambda session: privacy_export.export_noted(
                session, loaded, address, Actor(clock.now())
            )
        )
    click.echo(json.dumps(held, indent=2, ensure_ascii=False))
    if not any(held.values()):
        click.echo(f"nothing is stored about {address}", err=True)


@commands.command()
@click.argument("address", callback=email_argument)
@click.confirmation_option(prompt="Erase everything about this address for good?")
def erase(address: str) -> None:
    """Erase everything stored about ADDRESS."""
    from ..privacy import erasure

    with open_database() as (loaded, database):
        counts = erasure.erase_everywhere(database, loaded, address, Actor(clock.now()))
    click.echo(json.dumps(counts))
    if not any(counts.values()):
        click.echo(f"nothing was stored about {address}", err=True)
    for copy in backup_files.list_backups(loaded):
        click.echo(f"may be in {copy.path} until {copy.until:%Y-%m-%d}", err=True)


@commands.command("retention")
@click.option("--dry-run", is_flag=True, help="Count only; erase nothing.")
@click.option("--yes", is_flag=True, help="Erase even a large share of all leads.")
def sweep(dry_run: bool, yes: bool) -> None:
    """Erase everything past its retention period now. The deliver process does this daily."""
    from ..privacy import retention

    with open_database() as (loaded, database):
        with database.read() as session:
            expected = retention.expect(session, clock.now(), loaded)
            counts = retention.count(session, clock.now(), loaded) if dry_run else {}
        if not dry_run:
            if expected.is_large and not yes:
                raise click.ClickException(
                    f"would erase {expected.leads} of {expected.leads_stored} leads, going by the"
                    f" clock of this machine ({clock.now():%Y-%m-%d %H:%M} UTC); add --yes if"
                    " that is right"
                )
            counts = retention.erase(database, loaded, clock.now())
    click.echo(json.dumps(counts))
