"""Form fields that several forms share: cleaned text, email addresses, a honeypot."""

import re
import unicodedata
from collections.abc import Callable
from functools import cached_property
from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms import (
    DateField,
    EmailField,
    Field,
    Form,
    HiddenField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.form import BaseForm
from wtforms.validators import DataRequired, InputRequired, StopValidation, ValidationError

from ..leads import capture
from .security import is_submitted_too_fast, signed_now

# Embeddings, overrides and isolates reorder the text around them; the marks U+200E and
# U+200F, which Arabic and Hebrew names may contain, don't, and stay.
BIDI_CONTROL = re.compile("[\u202a-\u202e\u2066-\u2069]")
LINE_BREAK = re.compile(r"[\r\n\t\u2028\u2029]")
# White space, invisible characters (Default_Ignorable_Code_Point, among
# them two Hangul letters without a shape), and the Braille pattern without a dot.
INVISIBLE = re.compile(
    "[\\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]*"
)


def clean(text: str | None) -> str:
    """Normalize a text for storage: NFC, no bidi controls, no surrounding white space.

    Invisible text becomes empty: on the desk it would be a link without a label.
    """
    cleaned = BIDI_CONTROL.sub("", unicodedata.normalize("NFC", text or "")).strip()
    return "" if INVISIBLE.fullmatch(cleaned) else cleaned


def asked(label: str) -> str:
    """Return a label for errors to quote: the summary shows errors away from their field."""
    return label.removesuffix(" (optional)")


def limit(longest: int) -> Callable[[Form, Field], None]:
    """Limit a text to a number of characters, and skip other checks of a longer one."""

    def check(_form: Form, field: Field) -> None:
        if len(field.data or "") > longest:
            label = asked(field.label.text)
            raise StopValidation(f"“{label}” must be {longest:,} characters or fewer.")

    return check


def one_line(_form: Form, field: StringField) -> None:
    """Refuse line breaks: one in a name or subject could inject a header into an email."""
    if LINE_BREAK.search(field.data or ""):
        raise ValidationError(f"“{asked(field.label.text)}” must be on one line.")


NO_ADDRESS = "Enter an email address in the correct format, like name@example.com."
PLAIN_LETTERS = (
    "We can only send email to an address with plain letters before the @ sign (a to z, without"
    " accents). Use another address."
)


class AddressField(EmailField):
    """The field of an email address."""

    @cached_property
    def address(self) -> str:
        """Return the normalized address; ValueError if it is invalid."""
        return capture.normalize_email(self.data or "")


def valid_email(_form: Form, field: AddressField) -> None:
    """Refuse an invalid email address, and one that some email servers don't accept."""
    try:
        _ = field.address
    except ValueError:
        raise ValidationError(NO_ADDRESS) from None
    if not (field.data or "").rpartition("@")[0].isascii():
        raise ValidationError(PLAIN_LETTERS)


def _without_tabs(text: str | None) -> str | None:
    """Replace tabs by spaces: text pasted from a table has some."""
    return text and text.replace("\t", " ")


def short_text(
    label: str, *, longest: int = 120, required: str = "", hint: str = "", **attributes
) -> StringField:
    """Create a field of one line; `required` is the error when it is empty."""
    first = [DataRequired(required)] if required else []
    return StringField(
        label,
        [*first, limit(longest), one_line],
        filters=[_without_tabs, clean],
        description=hint,
        render_kw={"maxlength": longest} | attributes,
    )


def long_text(
    label: str, *, longest: int = 2000, required: str = "", **attributes
) -> TextAreaField:
    """Create a field of several lines; `required` is the error when it is empty."""
    first = [DataRequired(required)] if required else []
    return TextAreaField(
        label,
        [*first, limit(longest)],
        filters=[clean],
        render_kw={"maxlength": longest, "rows": 5} | attributes,
    )


def address(label: str, *, required: str = "Enter your email address.") -> AddressField:
    """Create the field of an email address; `required` is the error when it is empty."""
    return AddressField(
        label,
        [
            InputRequired(required),
            limit(254),
            one_line,
            valid_email,
        ],
        filters=[clean],
        render_kw={"autocomplete": "email", "inputmode": "email", "maxlength": 254},
    )


class Readable(Field):
    """A field whose validators run only if its text could be parsed."""

    def pre_validate(self, form: BaseForm) -> None:
        if self.process_errors and any(text.strip() for text in self.raw_data or ()):
            raise StopValidation


class Day(Readable, DateField):
    """The field of a date, with an error that says why a text isn't one."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            fault = f"“{asked(self.label.text)}” must be a date like 2026-12-24."
            raise ValueError(fault) from None


class Choice(SelectField):
    """The field of a choice from a list that may have changed since the form was shown."""

    def pre_validate(self, form: BaseForm) -> None:
        try:
            super().pre_validate(form)
        except ValidationError:
            label = asked(self.label.text)
            raise ValidationError(f"Choose one of the options for “{label}”.") from None


class HoneypotForm(Form):
    """A public form with a hidden field that only programs fill in.

    A password manager may fill it too, so such a form is kept in quarantine, shown to
    the sales team, and never dropped. So is a form that was submitted too fast.
    """

    website = StringField("Leave this field empty", render_kw={"autocomplete": "off"})
    shown = HiddenField()  # signed time of the first display

    def __init__(self, formdata: MultiDict | None = None, **more: Any) -> None:
        super().__init__(formdata, **more)
        if formdata is None:
            self.shown.data = signed_now()

    @cached_property  # decided once, since it depends on the time
    def is_suspect(self) -> bool:
        return bool(self.website.data) or is_submitted_too_fast(self.shown.data or "")
