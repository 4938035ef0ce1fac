"""The forms of single days: a date with hours of its own, and time off."""

from datetime import date

from wtforms import DateField, Form, HiddenField
from wtforms.validators import InputRequired, ValidationError

from ...book.availability.intervals import Window
from ...book.hosts import opening_hours
from ...web.fields import clean, short_text
from ..wall_clock import YEARS
from .forms import Readable, hours_field

LONGEST_DAYS = 366


class Day(Readable, DateField):
    """A date; what is none is said in words."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError("Type a date like 2026-12-24.") from None


def day_field(label: str) -> Day:
    """Make the field of a date that somebody can mean."""
    return Day(label, [InputRequired("Choose a date."), in_reach])


def in_reach(_form: Form, field: Day) -> None:
    if not field.data or field.data.year not in YEARS:
        raise ValidationError("Choose a date in this century.")


class DateForm(Form):
    """A date that has hours of its own."""

    day = day_field("Date")
    hours = hours_field("Hours")

    @property
    def date(self) -> date:
        """The date; call `validate` first."""
        assert self.day.data
        return self.day.data

    @property
    def windows(self) -> list[Window]:
        """The windows of that date; call `validate` first."""
        return opening_hours.parse_windows(self.hours.data or "")


class TimeOffForm(Form):
    """Days off; `known` names the calls in them that the page has shown."""

    first_day = day_field("First day")
    last_day = day_field("Last day")
    note = short_text("What for", longest=200, autocomplete="off")
    known = HiddenField(filters=[clean])

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last day; call `validate` first."""
        first, last = self.first_day.data, self.last_day.data
        assert first and last
        return first, last

    def validate_last_day(self, field: Day) -> None:
        """Refuse days that run backwards, or for longer than anybody is away."""
        first = self.first_day.data
        if not first or not field.data:
            return
        if field.data < first:
            raise ValidationError("The last day is before the first one.")
        if (field.data - first).days > LONGEST_DAYS:
            raise ValidationError("Longer than a year? Take the host out of the calls instead.")
