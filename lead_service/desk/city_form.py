"""A field for a time zone, by the name of a city."""

from wtforms import Form, StringField
from wtforms.validators import ValidationError

from .. import clock
from ..book.visitor import timezones
from ..formats import zone_name
from ..web.fields import short_text


def city_field(hint: str = "") -> StringField:
    """Create the field that `CityForm` turns into a zone."""
    return short_text(
        "City", hint=hint, required="Enter a city, such as Chicago.", autocomplete="off"
    )


class CityForm(Form):
    """A form with a city, whose zone is used for times."""

    city = city_field()

    @property
    def zone(self) -> str:
        """The zone of the city; empty if unknown."""
        typed = self.city.data or ""
        found = timezones.search(typed, clock.now())
        return timezones.fixed(typed) or (found[0].zone if found else "")

    def validate_city(self, _field) -> None:
        if not self.zone:
            raise ValidationError(
                "We don\u2019t know this city. Enter a larger one in the same zone."
            )


def city_in(zone: str) -> str:
    """Return the text for a zone that `CityForm` accepts: its city, or its UTC offset."""
    zone = timezones.current(zone)
    return timezones.FIXED.get(zone) or zone_name(zone).removesuffix(" time")
