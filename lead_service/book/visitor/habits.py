"""How people in the visitor's region write times and weeks, from Accept-Language (RFC 9110). Pure.

Unicode's CLDR, which Babel carries, knows both for each region. Dates stay in American English,
as the pages are.
"""

from dataclasses import dataclass

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from ..availability.month import SUNDAY

LONGEST = 200  # characters of the header that are looked at


@dataclass(frozen=True)
class Habits:
    """The clock, and the weekday (0 is Monday) with which a week begins."""

    is_24_hours: bool = False
    first_weekday: int = SUNDAY


AMERICAN = Habits()


def habits_of(accept_language: str) -> Habits:
    """Return the habits of the language that a browser prefers; American ones when in doubt."""
    wanted = parse_accept_header(accept_language[:LONGEST], LanguageAccept)
    for tag, weight in wanted:
        if weight and (found := _of_tag(tag)):
            return found
    return AMERICAN


def _of_tag(tag: str) -> Habits | None:
    try:
        locale = Locale.parse(tag, sep="-")
        if locale.territory is None:  # the region in which most people speak it
            likely = get_global("likely_subtags").get(locale.language, tag)
            locale = Locale.parse(likely, sep="_")
    except (ValueError, UnknownLocaleError):
        return None
    pattern = locale.time_formats["short"].pattern
    return Habits("H" in pattern, locale.first_week_day)
