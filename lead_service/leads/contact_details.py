"""The contact details of a person: the one record that every part reads and writes.

Columns (`leads.models.ContactColumns`) and visitors' questions (`book.forms.Person`) are written
out, because each needs its own words or types. Everything else uses the fields below: the
desk, search, CSV, JSON, emails and links that fill in a form. Pure.
"""

from dataclasses import Field, dataclass, field, fields
from typing import Any, NamedTuple


class Row(NamedTuple):
    """One detail as the team sees it."""

    name: str  # of the field
    label: str
    value: str


def _detail(label: str, longest: int, **attributes: str) -> Any:
    """Define a field: its label for the team, its longest length, its HTML attributes."""
    return field(
        default="", metadata={"label": label, "longest": longest, "attributes": attributes}
    )


@dataclass(frozen=True, kw_only=True)
class ContactDetails:
    """Contact details from a form; empty for fields left out or not asked."""

    name: str = _detail("Name", 120)
    email: str = _detail("Email", 254)
    phone: str = _detail("Phone", 60, type="tel", inputmode="tel")
    company: str = _detail("Company", 120)

    @classmethod
    def of(cls, source: object) -> "ContactDetails":
        """Read the details from attributes of an object, such as a lead or a call."""
        return cls(**{name: getattr(source, name) for name in LABELS})

    @property
    def rows(self) -> list[Row]:
        """The known details, in order."""
        known = ((name, label, getattr(self, name)) for name, label in LABELS.items())
        return [Row(*one) for one in known if one[2]]


FIELDS: tuple[Field, ...] = fields(ContactDetails)
LABELS: dict[str, str] = {one.name: one.metadata["label"] for one in FIELDS}
# Fields that a member corrects in place. The address identifies a lead, so it has its own page.
CORRECTABLE = tuple(one for one in FIELDS if one.name != "email")
