"""The forms of the team's page."""

from wtforms import Form
from wtforms.fields import SelectChoice  # type: ignore[attr-defined] # newer than the stubs
from wtforms.validators import InputRequired

from ...accounts.members import Role
from ...web.fields import Choice, address, short_text
from ..city_form import CityForm


def role_field() -> Choice:
    """Create the field of a member's role."""
    choices = [SelectChoice(role.value, role.label) for role in Role]
    return Choice("Role", [InputRequired("Choose a role.")], choices=choices)


class InviteForm(Form):
    """The form of an invitation: address, name and role."""

    email = address("Work email", required="Enter an email address.")
    name = short_text("Name", autocomplete="off")
    role = role_field()


class RoleForm(Form):
    """The form of a member's role."""

    role = role_field()


class PasskeyForm(Form):
    """The form of a passkey's name."""

    passkey_name = short_text(
        "Name of the passkey", longest=60, required="Enter a name.", autocomplete="off"
    )


class NameForm(CityForm):
    """The form of a member's name and city."""

    own_name = short_text("Your name", required="Enter your name.", autocomplete="name")
