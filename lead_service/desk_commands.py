"""The commands about people at the desk: a first link when nobody is in, and whatever a desk
without an admin needs.
"""

from collections.abc import Callable

import click
from sqlalchemy.orm import Session

from . import clock
from .members import Role
from .opening import known_address, opened
from .settings import Settings

ROLE = click.Choice([role.value for role in Role])
WHO = click.argument("address", callback=known_address)


@click.group()
def desk() -> None:
    """Let people in to the desk, and out of it."""


@desk.command()
@WHO
def link(address: str) -> None:
    """Print a one-time sign-in link for ADDRESS, who becomes a member if they are none."""
    from .desk.access import make_link

    with opened() as (loaded, database):
        made = make_link(database, loaded, address, clock.now())
    click.echo(made)


@desk.command("members")
def members() -> None:
    """List who may use the desk."""
    from .desk.membership import everybody

    with opened() as (_, database), database.read() as session:
        for member, _ in everybody(session):
            click.echo(f"{member.email}  {member.role}  {member.name}".rstrip())


@desk.command()
@WHO
@click.option("--name", default="", help="As the others see them.")
@click.option("--role", type=ROLE, default=Role.MEMBER.value)
def invite(address: str, name: str, role: str) -> None:
    """Let ADDRESS in, and mail them where the desk is."""
    from .desk import membership

    def work(session: Session, settings: Settings) -> None:
        at = clock.now()
        membership.invite(session, settings, address, name=name.strip(), role=Role(role), at=at)

    _write(work)
    click.echo(f"{address}: invited")


@desk.command("role")
@WHO
@click.argument("role", type=ROLE)
def change_role(address: str, role: str) -> None:
    """Make ADDRESS an admin, or a member."""
    from .desk import access, membership

    def work(session: Session, _settings: Settings) -> None:
        member = access.get_member(session, address)
        membership.change_role(session, member, Role(role), None, clock.now())

    _write(work)
    click.echo(f"{address}: {role}")


@desk.command()
@WHO
def remove(address: str) -> None:
    """Let ADDRESS go: out at once, and their open leads without an owner."""
    from .desk import access, membership

    def work(session: Session, _settings: Settings) -> None:
        membership.remove(session, access.get_member(session, address), None, clock.now())

    _write(work)
    click.echo(f"{address}: removed")


@desk.command("sign-out")
@WHO
def sign_out(address: str) -> None:
    """Sign ADDRESS out wherever they are signed in."""
    from .desk import access, membership

    def work(session: Session, _settings: Settings) -> None:
        member = access.get_member(session, address)
        membership.sign_out_everywhere(session, member, None, clock.now())

    _write(work)
    click.echo(f"{address}: signed out")


def _write(work: Callable[[Session, Settings], None]) -> None:
    """Do a change of the team, or say in one line why it cannot be."""
    from .desk.access import NoSuchMember
    from .desk.membership import AlreadyIn, LastAdmin

    with opened() as (loaded, database):
        try:
            database.write(lambda session: work(session, loaded))
        except NoSuchMember:
            raise click.ClickException("no such member; `desk members` lists them") from None
        except AlreadyIn:
            raise click.ClickException("this address is a member's already") from None
        except LastAdmin:
            raise click.ClickException(
                "nobody else is an admin; make somebody an admin first"
            ) from None
