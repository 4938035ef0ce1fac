"""The forms of the phase and of each step, built from the framework, and that of the email."""

from functools import lru_cache

from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Form, RadioField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined] # newer than the stubs
from wtforms.validators import ValidationError

from ..action_framework.types import Framework, Step
from ..leads import consent
from ..web.fields import HoneypotForm, address


def _one_answer(form: Form, field: RadioField) -> None:
    """Refuse a missing, repeated or unknown answer."""
    question = field.label.text
    if len(field.raw_data or []) > 1:
        raise ValidationError(f"Choose only one answer to “{question}”")
    if not field.raw_data:
        raise ValidationError(f"Choose an answer to “{question}”")
    known = {one.value for one in field.choices or () if isinstance(one, SelectChoice)}
    if field.data not in known:
        raise ValidationError(f"Choose one of the answers to “{question}”")


@lru_cache(maxsize=8)
def _phase_form(framework: Framework) -> type[Form]:
    field = RadioField(
        framework.phase_question,
        [_one_answer],
        choices=[SelectChoice(phase.id, phase.label) for phase in framework.phases],
        validate_choice=False,
        default="",
    )
    return type("PhaseForm", (Form,), {"phase": field})


def phase_form(
    framework: Framework, given: MultiDict | None = None, phase: str | None = None
) -> Form:
    """Create the form of the phase, with the posted or else the stored answer."""
    return _phase_form(framework)(given, data={"phase": phase or ""})


@lru_cache(maxsize=64)
def _step_form(framework_version: str, step: Step) -> type[Form]:
    fields = {
        question.id: RadioField(
            question.text,
            [_one_answer],
            choices=[SelectChoice(choice.id, choice.text) for choice in question.choices],
            validate_choice=False,
            default="",
        )
        for question in step.questions
    }
    return type("StepForm", (Form,), fields)


def step_form(
    framework: Framework,
    step: Step,
    given: MultiDict | None = None,
    answers: dict[str, str] | None = None,
) -> Form:
    """Create the form of a step, with the posted or else the stored answers."""
    return _step_form(framework.version, step)(given, data=answers or {})


class MailForm(HoneypotForm):
    """The form for emailing a result: an address, and a consent to further emails."""

    email = address("Email address")
    may_contact = BooleanField(consent.RESULT.text)
