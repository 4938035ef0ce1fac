"""The forms of a lead's page, and of a lead that a member adds."""

from collections.abc import Collection, Iterable

from wtforms import Field, Form, HiddenField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined] # newer than the stubs
from wtforms.validators import InputRequired, Optional

from ...accounts.members import Member
from ...book.forms import PHONE_NUMBER
from ...leads.contact_details import CORRECTABLE, ContactDetails
from ...leads.models import Lead, Stage
from ...web.fields import Choice, Day, address, long_text, short_text
from .lead_updates import FIELDS, LeadUpdate, update_of, write_update


class DetailsForm(Form):
    """The fields of a person's details that members correct, which are added below."""

    validate_phone = PHONE_NUMBER

    @property
    def questions(self) -> list[Field]:
        return [self[one.name] for one in CORRECTABLE]


for _one in CORRECTABLE:
    _given = {"longest": _one.metadata["longest"], "autocomplete": "off"}
    _field = short_text(_one.metadata["label"], **_given | _one.metadata["attributes"])
    setattr(DetailsForm, _one.name, _field)


class OwnerForm(Form):
    """The form of a lead's owner."""

    owner_id = Choice("Owner", coerce=lambda id: str(id or ""))

    def offer(self, members: Iterable[Member]) -> None:
        """Set the choices of owners."""
        known = [SelectChoice(str(one.id), one.shown_name) for one in members]
        self.owner_id.choices = [SelectChoice("", "No owner"), *known]

    @property
    def owner(self) -> int | None:
        return int(self.owner_id.data) if self.owner_id.data else None


class LeadForm(OwnerForm, DetailsForm):
    """The form of a lead: stage, owner, next action and contact details."""

    seen = HiddenField()  # the shown values, to save only changed ones
    stage = Choice(
        "Stage",
        [InputRequired("Choose a stage.")],
        choices=[SelectChoice(stage.value, stage.label) for stage in Stage],
    )
    next_action = short_text("Next action", longest=200, autocomplete="off")
    next_action_on = Day("Due date", [Optional()])
    note = long_text("Note", rows=3, form="work-form")  # its section is outside the form

    def validate(self, extra_validators=None) -> bool:
        """Check the fields, and that an action has a day: without one, it would never be due."""
        is_valid = super().validate(extra_validators)
        action, on = self.next_action.data, self.next_action_on.data
        if action and not on and not self.next_action_on.errors:
            self.next_action_on.errors = ["Enter a due date for the next action."]
        elif on and not action and not self.next_action.errors:
            self.next_action.errors = ["Enter the next action for this due date."]
        elif self.next_action_on.errors:
            self.next_action_on.errors = ["Enter the due date as 2026-12-01."]
        return is_valid and not self.errors

    def show(self, lead: Lead, kept: Collection[str] = ()) -> None:
        """Fill in the lead's present values, except for the fields `kept` as typed."""
        present = update_of(lead)
        for name, value in (present | {"seen": write_update(present)}).items():
            if name not in kept:
                self[name].raw_data, self[name].data = None, value
        self.owner_id.data = str(self.owner_id.data or "")

    @property
    def wanted(self) -> LeadUpdate:
        """The update in a valid form."""
        typed = {name: self[name].data for name in FIELDS}
        return typed | {"stage": Stage(self.stage.data), "owner_id": self.owner}


CONSENTS = {"": "We didn\u2019t talk about it", "yes": "They said yes", "no": "They said no"}


class ToldForm(DetailsForm):
    """The form of a person's details and consent, as told to a member."""

    may_contact = Choice(
        "May we also email them about our services?",
        choices=[SelectChoice(value, said) for value, said in CONSENTS.items()],
        default="",
    )

    @property
    def consent(self) -> bool | None:
        """The person's answer about emails; None if they weren't asked."""
        return {"yes": True, "no": False}.get(self.may_contact.data)

    def details(self, email: str) -> ContactDetails:
        """The person's details, with an address that may be known; call `validate` first."""
        return ContactDetails(email=email, **{one.name: one.data or "" for one in self.questions})


NO_EMAIL = (
    "Enter their email address. If you have only a phone number, call back and ask where to send"
    " the invitation."
)


class NewLeadForm(ToldForm, OwnerForm):
    """The form of a lead that a member adds."""

    submission = HiddenField()
    email = address("Email address", required=NO_EMAIL)
    how = short_text(
        "How do you know them?", required="Enter how you know them.", autocomplete="off"
    )
    note = long_text("Note (optional)", rows=3)
