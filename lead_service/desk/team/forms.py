"""The forms of the team's page."""

from wtforms import Form
from wtforms.fields import SelectChoice  # type: ignore[attr-defined] # newer than the stubs
from wtforms.validators import InputRequired

from ...accounts.members import Role
from ...web.fields import Choice, address, short_text
from ..city_form import CityForm

ROLES = {
    Role.MEMBER: "Member: works with leads, can\u2019t export",
    Role.ADMIN: "Admin: can also invite, export and erase",
}


def role_field() -> Choice:
    """Make the field of what a member may do."""
    choices = [SelectChoice(role.value, label) for role, label in ROLES.items()]
    return Choice("Role", [InputRequired("Choose a role.")], choices=choices)


class InviteForm(Form):
    """Who shall come in, and as what."""

    email = address("Work email", required="Enter an email address.")
    name = short_text("Name", autocomplete="off")
    role = role_field()


class RoleForm(Form):
    """A member's role."""

    role = role_field()


class PasskeyForm(Form):
    """What a member calls a passkey."""

    passkey_name = short_text(
        "Name of the passkey", longest=60, required="Enter a name.", autocomplete="off"
    )


class NameForm(CityForm):
    """A member's name, and where they are."""

    own_name = short_text("Your name", required="Enter your name.", autocomplete="name")
