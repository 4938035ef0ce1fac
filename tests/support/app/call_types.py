"""Kinds of call and people for tests, like those in docs/calls.yml and docs/people/."""

from dataclasses import replace

from lead_service.call_types import CallType, CallTypes
from lead_service.people import Person
from lead_service.web.context import Context

ANN = Person(
    slug="ann-example",
    name="Ann Example",
    role="Partner",
    lines="Ran delivery for ten years.",
    says="I\u2019ll read your answers before we talk.",
    portrait=((96, "/assets/ann-96.jpg"), (192, "/assets/ann-192.jpg")),
)
KIND = CallType(
    slug="discovery",
    name="Discovery call",
    minutes=30,
    description="Free, and nothing to prepare.",
    price="free",
    question="What is stuck?",
    agenda=("You talk.", "We ask.", "We say what fits."),
)


def publish(app, *kinds: CallType, people: tuple[Person, ...] = ()) -> None:
    """Replace the published kinds, the default one first; without kinds, restore them."""
    context: Context = app.extensions["lead_service"]
    calls = CallTypes(kinds) if kinds else context.published.calls
    published = replace(context.published, calls=calls, people=people)
    app.extensions["lead_service"] = replace(context, published=published)
