"""The forms of a host: details, opening hours and rules."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from werkzeug.datastructures import MultiDict
from wtforms import Field, Form, IntegerField, SelectMultipleField, StringField
from wtforms.validators import (
    InputRequired,
    NumberRange,
    Optional,
    ValidationError,
)
from wtforms.widgets import CheckboxInput, ListWidget

from ...book.availability.host_rules import MOST_DAYS
from ...book.availability.intervals import Window
from ...book.hosts import opening_hours, setup
from ...book.hosts.models import Host, OpeningHours
from ...book.hosts.opening_hours import WEEKDAYS
from ...hostnames import is_host
from ...web.context import context
from ...web.fields import Choice, Readable, address, asked, clean, limit, one_line, short_text
from ..city_form import CityForm, city_field, city_in

OTHERS = {"weekdays": slice(5), "weekend": slice(5, None), "all": slice(None)}  # groups of weekdays
FAR = f"Leave it empty for {MOST_DAYS} days."
LINK = "Start the meeting link with https://, like https://meet.example.com/ann."


class Whole(Readable, IntegerField):
    """The field of a whole number, with an error that says why a text isn't one."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.raw_data = [text.strip() for text in valuelist]
        try:
            super().process_formdata(self.raw_data)
        except ValueError:
            raise ValueError(f"“{asked(self.label.text)}” must be a whole number.") from None


def minutes(label: str, hint: str, *, least: int = 0, most: int) -> Whole:
    """Create a field of minutes, in steps of five like time cells."""
    return _number(f"{label}, in minutes", hint, least, most, [multiple_of_five], step="5")


def multiple_of_five(_form: Form, field: Field) -> None:
    if field.data % 5:
        raise ValidationError(f"“{asked(field.label.text)}” must be a multiple of five.")


def _number(label: str, hint: str, least: int, most: int, more: list, **attributes: str) -> Whole:
    needed = InputRequired(f"Enter a number for “{asked(label)}”.")
    range_of = NumberRange(least, most, f"“{asked(label)}” must be from {least} to {most}.")
    return Whole(
        label,
        [needed if more else Optional(), range_of, *more],
        description=hint,
        render_kw={"inputmode": "numeric", "class": "short"} | attributes,
    )


def secure_link(_form: Form, field: Field) -> None:
    """Refuse anything but an https address or an empty text."""
    text = field.data or ""
    try:
        parts = urlsplit(text)
        is_link = parts.scheme == "https" and is_host(parts.hostname or "") and parts.port != 0
    except ValueError:  # an unclosed bracket, or a port that is not a number
        is_link = False
    if text and (not is_link or " " in text or not text.isprintable()):
        raise ValidationError(LINK)


class HostForm(CityForm):
    """The form of a host's details."""

    person = Choice(
        "Person on the site (optional)",
        description="Visitors see this person\u2019s name, portrait and description.",
        default="",
    )
    name = short_text("Name", required="Enter the name to show to visitors.")
    email = address("Work email", required="Enter an email address.")
    city = city_field("Weekly hours use this city\u2019s time zone.")
    meeting_link = StringField(
        "Meeting link (optional)",
        [limit(500), one_line, secure_link],
        filters=[clean],
        description="Put {room} in the link to give each call its own room. Without a link, the"
        " host calls visitors by phone, and we ask them for their number.",
        render_kw={"inputmode": "url", "autocomplete": "off", "maxlength": 500},
    )

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        people = context().published.people
        self.person.choices = [("", "None"), *((one.slug, one.name) for one in people)]
        if not people:
            del self.person

    def validate_email(self, field: Field) -> None:
        """Refuse the sender's address of invitations."""
        if setup.is_sender(context().settings, field.data):
            raise ValidationError(f"Invitations come from this address. {setup.FROM_ONESELF}")

    @classmethod
    def of(cls, host: Host) -> "HostForm":
        """Fill the form with what is stored."""
        return cls(obj=host, city=city_in(host.zone))

    def fill(self, host: Host) -> None:
        """Store the form in the host; an unchanged city leaves the zone unchanged."""
        if not host.zone or self.city.data != city_in(host.zone):
            host.zone = self.zone
        for field in self:
            if field is not self.city:
                field.populate_obj(host, field.name)
        if person := context().published.person(host.person):
            host.name = person.name


def _range(opens: str, closes: str) -> str:
    """Return the window in two fields; people also type whole ranges into one or both."""
    typed = [one for one in (opens, closes) if one]
    has_range = any(re.search(r"[-\u2013]|\bto\b", one) for one in typed)
    return ", ".join(typed) if has_range else f"{opens} - {closes}"


class WindowsField(StringField):
    """The field of a date's windows: one text, or pairs of From and To."""

    typed: tuple[tuple[str, str], ...] = ()

    def process_formdata(self, valuelist: list[str]) -> None:
        if len(valuelist) > 1:
            pairs = zip(valuelist[::2], valuelist[1::2], strict=False)
            self.typed = tuple((clean(opens), clean(closes)) for opens, closes in pairs)
            texts = (_range(*typed) for typed in self.typed if any(typed))
            valuelist = [", ".join(texts)]
        super().process_formdata(valuelist)

    @property
    def rows(self) -> list[tuple[str, str]]:
        """The rows of From and To: each window, and an empty one; or the invalid text."""
        if self.errors and self.typed:
            return list(self.typed)
        return [*opening_hours.rows(self.data or ""), ("", "")]


def hours_field(label: str) -> WindowsField:
    """Create the field of one date's windows."""
    return WindowsField(
        f"{label} (optional)",
        [limit(200), are_windows],
        filters=[clean],
        render_kw={"autocomplete": "off", "maxlength": 200},
    )


def are_windows(_form: Form, field: Field) -> None:
    try:
        opening_hours.parse_windows(field.data or "")
    except ValueError as fault:
        where = "" if field.id == "hours" else f" on {asked(field.label.text)}"
        raise ValidationError(f"Check the hours{where}. {fault}") from None


def hours_text(stored: Iterable, weekday: str = "") -> str:
    """Write stored windows for reading, or those of one weekday."""
    shown = (one for one in stored if not weekday or WEEKDAYS[one.weekday] == weekday)
    return opening_hours.write_windows(Window(one.opens, one.closes) for one in shown)


class HoursForm(Form):
    """The form of the weekly windows."""

    monday = hours_field("Monday")
    tuesday = hours_field("Tuesday")
    wednesday = hours_field("Wednesday")
    thursday = hours_field("Thursday")
    friday = hours_field("Friday")
    saturday = hours_field("Saturday")
    sunday = hours_field("Sunday")

    @classmethod
    def of(cls, host: Host) -> "HoursForm":
        """Fill the form with what is stored."""
        return cls(data={name.lower(): hours_text(host.hours, name) for name in WEEKDAYS})

    def validate(self, extra_validators=None) -> bool:
        """Check each day, then windows that run into the next one."""
        if not super().validate(extra_validators):
            return False
        if overlap := opening_hours.overlap_of_days(self.week):
            weekday, fault = overlap
            list(self)[weekday].errors = [fault]
        return not overlap

    @property
    def week(self) -> dict[int, list[Window]]:
        """The windows by weekday, 0 for Monday; call `validate` first."""
        return {
            number: opening_hours.parse_windows(day.data or "") for number, day in enumerate(self)
        }

    def copy(self, wanted: str) -> None:
        """Copy the hours of a day to others: "monday weekdays", "sunday weekend", "friday all"."""
        day, _, others = wanted.partition(" ")
        if day in self and others in OTHERS:
            for one in list(self)[OTHERS[others]]:
                one.data = self[day].data

    def fill(self, host: Host) -> None:
        host.hours = [
            OpeningHours(weekday=weekday, opens=one.start, closes=one.end)
            for weekday, windows_of_day in self.week.items()
            for one in windows_of_day
        ]


class RulesForm(Form):
    """The form of a host's kinds of call and rules; a kind's own rules override them."""

    call_types = SelectMultipleField(
        "Kinds of call",
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
    interval = minutes(
        "Time between starts", "Counted from the start of the day\u2019s hours.", least=5, most=1440
    )
    buffer_before = minutes("Buffer before a call", "", most=480)
    buffer_after = minutes("Buffer after a call", "", most=480)
    notice = minutes("Notice", "How far ahead visitors must book. 240 is four hours.", most=43_200)
    horizon_days = _number("How many days ahead visitors can book", FAR, 0, 365, [])
    daily_limit = _number("Maximum calls per day", "Leave it empty for no limit.", 0, 100, [])

    def __init__(self, formdata: MultiDict | None = None, **more: Any) -> None:
        super().__init__(formdata, **more)
        calls = context().published.calls
        self.call_types.choices = [
            (one.slug, f"{one.name}, {one.minutes} minutes" + (f", by {one.meet}" * bool(one.meet)))
            for one in calls.all
        ]
        if formdata is None and self.call_types.data is None:
            self.call_types.data = [calls.default.slug]
        if len(calls.all) == 1:
            del self.call_types  # with one kind, there is no choice

    @classmethod
    def of(cls, host: Host) -> "RulesForm":
        """Fill the form with what is stored."""
        return cls(obj=host)

    def fill(self, host: Host) -> None:
        self.populate_obj(host)
        # The former length no longer matters, so `check` need not compare it.
        host.duration = context().published.calls.default.minutes
