"""The form of a calendar that is read: its address comes from a person, and is asked by us."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from wtforms import Field, Form, StringField
from wtforms.validators import InputRequired, Length, ValidationError

from ..fields import clean, one_line, short_text

WORDS = "Paste the calendar\u2019s private address, which starts with https:// or webcal://."
INWARD = (".local", ".localhost", ".internal", ".lan", ".home.arpa")


def outward_address(_form: Form, field: Field) -> None:
    """Refuse what is no https address, or names a machine inside a network.

    That is for the person who mistypes. Where a name leads is looked at with each reading.
    """
    try:
        parts = urlsplit(https(field.data))
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ValidationError(WORDS) from None
    if parts.scheme != "https" or not host or not field.data.isprintable() or " " in field.data:
        raise ValidationError(WORDS)
    if parts.username or parts.password:
        raise ValidationError("Use an address without a user name and password in it.")
    if _is_inward(host.rstrip(".")):
        raise ValidationError("This machine is inside a network. Use an address of the internet.")


def https(address: str) -> str:
    """Write a calendar's address with the scheme under which it is asked for."""
    scheme, colon, rest = address.partition(":")
    return f"https:{rest}" if colon and scheme.lower() == "webcal" else address


def _is_inward(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.lower().endswith(INWARD)


class FeedForm(Form):
    """A calendar of a host, as Google, Outlook and Fastmail give out."""

    label = short_text(
        "What it is called here", longest=60, required="Give it a name, such as Work."
    )
    url = StringField(
        "Private address (ICS)",
        [
            InputRequired(WORDS),
            Length(max=2000, message="Keep this under 2000 characters."),
            one_line,
            outward_address,
        ],
        filters=[clean],
        render_kw={"inputmode": "url", "autocomplete": "off", "maxlength": 2000},
    )

    @property
    def address(self) -> str:
        """The address as it is stored; call `validate` first."""
        return https(self.url.data or "")
