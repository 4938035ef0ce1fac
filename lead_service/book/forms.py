"""The forms of booking, contact and a corrected address."""

from datetime import UTC, datetime

from wtforms import BooleanField, Field, Form, HiddenField, TelField
from wtforms.validators import InputRequired, Regexp, ValidationError

from ..leads import consent
from ..leads.contact_details import FIELDS, ContactDetails
from ..web.context import context
from ..web.fields import HoneypotForm, address, clean, limit, long_text, one_line, short_text
from .availability.host_cache import snapshot

START = "%Y%m%dT%H%MZ"  # of a start in an address or a field, in UTC


PHONE_NUMBER = Regexp(
    r"^(?!.*[0-9]\+)(([+()./ x-]*[0-9]){5}[0-9+()./ x-]*)?$",
    message="Enter a phone number like 212 555 0187. Use at least five digits, and spaces or"
    " + ( ) . / - x only.",
)


def phone(required: str = "") -> TelField:
    """Create the field of a phone number; `required` is the error when it is empty."""
    first = [InputRequired(required)] if required else []
    return TelField(
        "Phone number",
        [*first, limit(40), one_line, PHONE_NUMBER],
        filters=[clean],
        render_kw={"autocomplete": "tel", "inputmode": "tel", "maxlength": 40},
    )


def refuse_hosts(_form: Form, field: Field) -> None:
    """Refuse a host's address: the calendar would treat the visitor's invitation as the host's."""
    with context().database.read() as session:
        ours = context().settings.mail_from, *(host.email for host in snapshot(session).hosts)
    if field.data and field.data.casefold() in {one.casefold() for one in ours}:
        raise ValidationError("This is one of our own addresses. Enter yours.")


class Person(HoneypotForm):
    """The fields about the visitor and their topic."""

    submission = HiddenField(filters=[clean])
    name = short_text("Your name", required="Enter your name.", autocomplete="name")
    email = address("Work email")
    phone = phone()
    company = short_text("Company", autocomplete="organization")
    without_answers = BooleanField("Don\u2019t send my answers from the self-assessment")
    may_contact = BooleanField(consent.SERVICES.text)

    @property
    def questions(self) -> list[Field]:
        """The fields of `ContactDetails` that this form asks for, in their order."""
        return [self[one.name] for one in FIELDS if one.name in self]

    @property
    def details(self) -> ContactDetails:
        """The contact details from the form; call `validate` first."""
        return ContactDetails(**{one.name: one.data or "" for one in self.questions})


class BookingForm(Person):
    """The form of a booking, with a phone number if the host may call."""

    validate_email = refuse_hosts
    phone = phone("Enter your phone number.")
    topic = long_text("What is it about? (optional)")


class NumberForm(Form):
    """The phone number of a visitor whose call was by video."""

    phone = phone("Enter your phone number.")


class AddressForm(Form):
    """A corrected address for the invitation."""

    validate_email = refuse_hosts
    email = address("Send the invitation to")


def start_text(start: datetime) -> str:
    """Write a start for addresses and fields."""
    return start.astimezone(UTC).strftime(START)


def parse_start(text: str) -> datetime | None:
    """Parse a start; None if it is out of range or not written as `start_text` writes it."""
    try:
        start = datetime.strptime(text, START).replace(tzinfo=UTC)
    except ValueError:
        return None
    return start if 2000 <= start.year < 2200 and start_text(start) == text else None
