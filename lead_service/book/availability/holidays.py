"""Public holidays of a country and its region, with their English names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache

import holidays as public

ENGLISH = "en_US"  # countries without translations have English names only
SMALL_WORDS = {"and", "of", "the"}
SPELLED = {"dr_congo": "DR Congo", "hongkong": "Hong Kong", "guinea_bissau": "Guinea-Bissau"}


def _name(key: str) -> str:
    words = (word if word in SMALL_WORDS else word.capitalize() for word in key.split("_"))
    return SPELLED.get(key) or " ".join(words)


_names = {code: _name(key) for key, (_, code, *_) in public.registry.COUNTRIES.items()}
# Countries with known holidays, by code, sorted by name.
COUNTRIES = dict(sorted(_names.items(), key=lambda item: item[1]))


def between(country: str, region: str, first: date, last: date) -> Iterator[tuple[date, str]]:
    """Yield the holidays on the dates [first, last] as (date, name), in order.

    `country` is an ISO 3166-1 code in two letters and `region` one of `regions(country)`; without
    a country there are no holidays, without a region only nationwide ones. Days off that move
    to a weekday are holidays too.
    """
    if country not in COUNTRIES:
        return
    region = region if region in regions(country) else ""  # a newer list may lack it
    for year in range(first.year, last.year + 1):
        for day, name in _of_year(country, region, year):
            if first <= day <= last:
                yield day, name


def regions(country: str) -> dict[str, str]:
    """Return the regions of a country with holidays of their own, by code, sorted by name.

    Empty for an unknown country and for one without regional holidays.
    """
    if country not in COUNTRIES:
        return {}
    calendar = public.country_holidays(country)
    names = {code: name for name, code in reversed(calendar.subdivisions_aliases.items())}
    found = {code: names.get(code, code) for code in calendar.subdivisions}
    return dict(sorted(found.items(), key=lambda item: item[1]))


@lru_cache(maxsize=256)
def _of_year(country: str, region: str, year: int) -> list[tuple[date, str]]:
    languages = public.country_holidays(country).supported_languages
    language = ENGLISH if ENGLISH in languages else None
    known = public.country_holidays(country, region or None, years=year, language=language)
    # If two holidays fall on one date, the library joins their names by "; ".
    return sorted((day, name.replace("; ", ", ")) for day, name in known.items())
