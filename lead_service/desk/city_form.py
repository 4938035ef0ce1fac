"""A field for a time zone, by the city that it is named after or one near it."""

from wtforms import Form, StringField
from wtforms.validators import ValidationError

from .. import clock
from ..book.visitor import timezones
from ..formats import zone_name
from ..web.fields import short_text


def city_field(hint: str = "") -> StringField:
    """Make the field that `CityForm` reads as a zone."""
    return short_text(
        "City", hint=hint, required="Enter a city, such as Chicago.", autocomplete="off"
    )


class CityForm(Form):
    """Where someone is, so that times are written by their clock."""

    city = city_field()

    @property
    def zone(self) -> str:
        """The zone of the city; empty when we know none."""
        typed = self.city.data or ""
        found = timezones.search(typed, clock.now())
        return timezones.fixed(typed) or (found[0].zone if found else "")

    def validate_city(self, _field) -> None:
        if not self.zone:
            raise ValidationError(
                "We don\u2019t know this city. Enter a larger one in the same zone."
            )


def city_in(zone: str) -> str:
    """Return what `CityForm` reads as a zone: its city, or its distance from UTC."""
    zone = timezones.current(zone)
    return timezones.FIXED.get(zone) or zone_name(zone).removesuffix(" time")
