"""The forms of a lead's page."""

from collections.abc import Collection, Iterable
from dataclasses import asdict

from wtforms import Form, HiddenField, IntegerField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined] # newer than the stubs
from wtforms.validators import InputRequired, Optional
from wtforms.widgets import HiddenInput

from ...accounts.members import Member
from ...leads.models import Lead, Stage
from ...web.fields import Choice, Day, long_text, short_text
from ..labels import STAGES
from .lead_updates import LeadUpdate


class LeadForm(Form):
    """Where a lead stands, whose it is, what comes next, and how they are reached."""

    version = IntegerField(widget=HiddenInput())
    seen = HiddenField()  # what the form showed, so that only what was changed is saved
    stage = Choice(
        "Stage",
        [InputRequired("Choose a stage.")],
        choices=[SelectChoice(stage.value, name) for stage, name in STAGES.items()],
    )
    owner_id = Choice("Owner", coerce=lambda id: str(id or ""))
    next_action = short_text("Next action", longest=200, autocomplete="off")
    next_action_on = Day("On", [Optional()])
    name = short_text("Name", autocomplete="off")
    company = short_text("Company", autocomplete="off")
    phone = short_text("Phone", longest=60, autocomplete="off", inputmode="tel")

    def offer(self, members: Iterable[Member]) -> None:
        """Offer these as owners."""
        known = [SelectChoice(str(one.id), one.shown_name) for one in members]
        self.owner_id.choices = [SelectChoice("", "Nobody"), *known]

    def validate(self, extra_validators=None) -> bool:
        """Check the fields, and that an action has its day: else it would turn up on none."""
        is_valid = super().validate(extra_validators)
        action, on = self.next_action.data, self.next_action_on.data
        if action and not on and not self.next_action_on.errors:
            self.next_action_on.errors = ["Enter a day for the next action."]
        elif on and not action and not self.next_action.errors:
            self.next_action.errors = ["Enter the next action for that day."]
        elif self.next_action_on.errors:
            self.next_action_on.errors = ["Enter the day as 2026-12-01."]
        return is_valid and not self.errors

    def show(self, lead: Lead, kept: Collection[str] = ()) -> None:
        """Show the lead as it is, but for the fields that are `kept` as they were typed."""
        present = LeadUpdate.of(lead)
        values = asdict(present) | {"version": lead.version, "seen": present.write()}
        for name, value in values.items():
            if name not in kept:
                self[name].raw_data, self[name].data = None, value
        self.owner_id.data = str(self.owner_id.data or "")

    @property
    def wanted(self) -> LeadUpdate:
        """What a valid form asks for."""
        return LeadUpdate(
            stage=Stage(self.stage.data),
            owner_id=int(self.owner_id.data) if self.owner_id.data else None,
            next_action=self.next_action.data or "",
            next_action_on=self.next_action_on.data,
            name=self.name.data or "",
            company=self.company.data or "",
            phone=self.phone.data or "",
        )


class NoteForm(Form):
    """What a member wants to remember of a lead."""

    text = long_text("Note", required="Enter a note.", rows=3)
