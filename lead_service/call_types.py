"""The kinds of call of docs/calls.yml, which the site and the service share. Pure."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from .action_framework.checks import part
from .action_framework.counts import spelled
from .action_framework.types import Slug, Text, frozen
from .action_framework.yaml_source import DataError, Fault, parse_yaml

VIDEO, PHONE = "video", "phone"
HALF_HOUR = 30

Minutes = Annotated[int, Field(ge=5, le=480, multiple_of=5)]
Buffer = Annotated[int, Field(ge=0, le=480, multiple_of=5)]


@frozen
class CallType:
    """One kind of call. A rule that is None falls back to the host's own; times are in minutes."""

    slug: Slug
    name: Annotated[Text, Field(max_length=80)]
    minutes: Minutes
    description: Text
    price: Annotated[str, Field(max_length=80)] = ""
    buffer_before: Buffer | None = None
    buffer_after: Buffer | None = None
    notice: Annotated[int, Field(ge=0, le=43_200)] | None = None
    horizon_days: Annotated[int, Field(ge=0, le=365)] | None = None
    daily_limit: Annotated[int, Field(ge=1, le=100)] | None = None
    meet: Literal["video", "phone"] | None = None
    question: str = ""
    agenda: tuple[Text, ...] = ()  # what happens in the call, one line each
    confirm_first: bool = False
    fits: tuple[Slug, ...] = ()

    @property
    def length(self) -> str:
        """The length as people say it: half an hour, an hour, two hours, 45 minutes."""
        hours, rest = divmod(self.minutes, 60)
        if self.minutes == HALF_HOUR:
            return "half an hour"
        if rest:
            return f"{self.minutes} minutes"
        return "an hour" if hours == 1 else f"{spelled(hours)} hours"


@dataclass(frozen=True)
class CallTypes:
    """All kinds of call, in the order of the file."""

    all: tuple[CallType, ...]

    @property
    def default(self) -> CallType:
        """The kind that visitors book at /book/."""
        return self.all[0]

    def find(self, slug: str) -> CallType | None:
        """Find a kind by its slug; None for one that is no longer offered."""
        return next((one for one in self.all if one.slug == slug), None)

    def fitting(self, engagement: str | None) -> CallType:
        """Return the kind that fits a recommendation, by the slug of its engagement."""
        return next((one for one in self.all if engagement in one.fits), self.default)

    def address(self, call: CallType) -> str:
        """Return the path of the page on which a kind is booked."""
        return "/book/" if call == self.default else f"/book/{call.slug}/"


_calls: TypeAdapter[Any] = TypeAdapter(Annotated[tuple[CallType, ...], Field(min_length=1)])


def load_call_types(text: str | bytes, engagements: set[str] | None) -> CallTypes:
    """Read the file; raise DataError for every fault in it.

    `engagements` are the slugs that framework.yml has; None if it cannot be read.
    """
    source = parse_yaml(text)
    data = source.data if isinstance(source.data, dict) else {}
    faults: list[Fault] = [*source.faults]
    faults += [((key,), "unknown key") for key in data if key != "calls"]
    calls: tuple[CallType, ...] = part(_calls, "calls", data, faults)
    faults += _between(calls, engagements)
    if faults:
        raise DataError(source.describe(faults))
    return CallTypes(calls)


def _between(calls: tuple[CallType, ...], engagements: set[str] | None) -> list[Fault]:
    """Check the rules between kinds: unique slugs and names, and known engagements."""
    faults: list[Fault] = []
    slugs, names = [one.slug for one in calls], [one.name.casefold() for one in calls]
    for number, call in enumerate(calls):
        if not call.slug[0].isalpha():  # unlike a start: /book/20261124T0900Z/
            faults.append((("calls", number, "slug"), "must begin with a letter"))
        if call.slug in slugs[:number]:
            faults.append((("calls", number, "slug"), "another kind of call has this slug"))
        if call.name.casefold() in names[:number]:
            faults.append((("calls", number, "name"), "another kind of call has this name"))
        for place, slug in enumerate(call.fits):
            if engagements is not None and slug not in engagements:
                path = ("calls", number, "fits", place)
                faults.append((path, f"framework.yml has no engagement {slug}"))
    return faults
