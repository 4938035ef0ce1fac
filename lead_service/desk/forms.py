"""The desk's forms: what a member may change, and how much of it."""

from wtforms import Form, SelectChoice, SelectField
from wtforms.validators import InputRequired

from ..fields import address, short_text

ROLES = [
    SelectChoice("member", "Member: works with leads"),
    SelectChoice("admin", "Admin: also lets people in and erases"),
]


class InviteForm(Form):
    """Who shall come in, and as what."""

    email = address("Work email")
    name = short_text("Name", autocomplete="off")
    role = SelectField("Role", [InputRequired()], choices=ROLES)


class RoleForm(Form):
    """What somebody may do."""

    role = SelectField("Role", [InputRequired()], choices=ROLES)


class NameForm(Form):
    """What the others call somebody."""

    own_name = short_text("Your name", required="Type your name.", autocomplete="name")
