"""The people of docs/people/, shown by the site and the service. Pure."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter
from pydantic_core import PydanticCustomError

from .action_framework.types import Slug, Text, frozen


def _secure(link: str) -> str:
    if link and not re.fullmatch(r"https://[^\s\"<>]+", link):
        raise PydanticCustomError("link", "must be an address that starts with https://")
    return link


@frozen
class Person:
    """One person of the practice.

    `says` is their sentence for a visitor who has booked. `portrait` holds squares of one
    picture, smallest first: their width in pixels, and their root-relative address.
    """

    slug: Slug
    name: Annotated[Text, Field(max_length=120)]
    role: Annotated[Text, Field(max_length=120)]
    lines: Annotated[Text, Field(max_length=400)]
    says: Annotated[str, Field(max_length=200)] = ""
    link: Annotated[str, AfterValidator(_secure)] = ""
    portrait: tuple[tuple[int, str], ...] = ()

    @property
    def url(self) -> str:
        """The root-relative address of this person's entry on the About page."""
        return f"/about/#{self.slug}"

    def picture(self, side: int) -> str:
        """Return the smallest portrait of at least `side` pixels, or else the largest."""
        wide_enough = [address for width, address in self.portrait if width >= side]
        return wide_enough[0] if wide_enough else self.portrait[-1][1]


PEOPLE_JSON: TypeAdapter[Any] = TypeAdapter(tuple[Person, ...])
