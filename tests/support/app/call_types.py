"""Kinds of call for tests: the one of half an hour, and what docs/calls.yml could hold besides."""

from dataclasses import replace

from lead_service.call_types import CallType, CallTypes
from lead_service.web.context import Context

KIND = CallType(
    slug="discovery",
    name="Discovery call",
    minutes=30,
    description="Free, and nothing to prepare.",
    price="free",
    question="What is stuck?",
)


def publish(app, *kinds: CallType) -> None:
    """Let these be the kinds of call that the site has published, the default one first."""
    context: Context = app.extensions["lead_service"]
    published = replace(context.published, calls=CallTypes(kinds))
    app.extensions["lead_service"] = replace(context, published=published)
