"""The form of a calendar that is read: its address comes from a person, and is asked by us."""

from urllib.parse import urlsplit

from wtforms import Field, Form, StringField
from wtforms.validators import InputRequired, Length, ValidationError

from ...book.calendars import feed_address
from ...web.context import context
from ...web.fields import clean, one_line, short_text

EMPTY = "Paste the calendar\u2019s private address, which starts with https:// or webcal://."
INWARD = (".local", ".localhost", ".internal", ".lan", ".home.arpa")


def outward_address(_form: Form, field: Field) -> None:
    """Refuse what is no https address, or names a machine inside a network.

    That is for the person who mistypes. Where a name leads is looked at with each reading.
    """
    try:
        checked = checked_address(field.data or "")
    except ValueError as fault:
        raise ValidationError(f"The address {fault}.") from None
    if not context().settings.feeds_allow_loopback and _is_inward(checked):
        raise ValidationError("The address must name a machine on the internet.")


def checked_address(text: str) -> str:
    """Return a calendar's address as it is stored; raise ValueError in words."""
    return feed_address.check_typed(text, allow_loopback=context().settings.feeds_allow_loopback)


def _is_inward(url: str) -> bool:
    host = (urlsplit(url).hostname or "").rstrip(".")
    return ":" not in host and ("." not in host or host.endswith(INWARD))


class FeedForm(Form):
    """A calendar of a host, as Google, Outlook and Fastmail give out."""

    label = short_text(
        "What it is called here", longest=60, required="Give it a name, such as Work."
    )
    url = StringField(
        "Private address (ICS)",
        [
            InputRequired(EMPTY),
            Length(max=feed_address.LONGEST, message="Keep this under 2000 characters."),
            one_line,
            outward_address,
        ],
        filters=[clean],
        render_kw={
            "inputmode": "url",
            "autocomplete": "off",
            "maxlength": feed_address.LONGEST,
        },
    )

    @property
    def address(self) -> str:
        """The address as it is stored; call `validate` first."""
        return checked_address(self.url.data or "")
