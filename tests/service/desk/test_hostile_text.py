"""Every page of the desk with hostile text in every field."""

from datetime import date
from xml.etree.ElementTree import Element

import pytest
from sqlalchemy import select

from lead_service.accounts.members import Member
from lead_service.book.hosts.models import CalendarFeed, Host, TimeOff
from lead_service.book.models import Booking
from lead_service.emails.models import OutboxMessage
from lead_service.leads import consent as leads_consent
from lead_service.leads import events
from lead_service.leads.models import Lead
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.visitor_forms import assess, book
from tests.support.browser import markup

TYPED = "(typed)"
SUNDAY, CHRISTMAS = date(2026, 11, 22), date(2026, 12, 25)
MARKUP = """"'><img src=x onerror=alert(1)>{{7*7}}</bdi><script>alert(2)</script>"""
HOSTILE = TYPED + MARKUP
ALONE = {"title", "option"}  # no other text is beside theirs
CALL_PAGES = ("", "move/", "give/", "cancel/")
HOST_PAGES = ("", "why/?at=2026-11-24T09:00", "why/?at=x", "person/", "hours/", "rules/", "dates/")
HOST_PAGES += ("time-off/", "holidays/", "holidays/?country=US", "calendars/")

PAGES = (
    *("/desk/", f"/desk/?q={HOSTILE[:20]}", "/desk/?view=suspected", "/desk/?view=due"),
    *("/desk/leads/1/", "/desk/outbox/", "/desk/calls/", "/desk/privacy/"),
    *("/desk/funnel/", f"/desk/funnel/?from={HOSTILE[:20]}", "/desk/sign-in/sent/"),
    *("/desk/team/", "/desk/trail/", f"/desk/trail/?about={HOSTILE[:20]}"),
    *("/desk/availability/", "/desk/availability/new/"),
)


@pytest.fixture
def hostile_pages(made_once) -> dict[str, tuple[str, Element]]:
    """Every page of the desk, with markup in every field of a visitor."""
    return made_once(open_every_page)


def open_every_page(client, member, framework, database) -> dict[str, tuple[str, Element]]:
    """Return the source and the parsed tree of each page, which must be valid HTML."""
    result = assess(client, framework)
    named = {"name": HOSTILE, "company": HOSTILE, "topic": HOSTILE}
    book(client, assessment=result.split("/")[2], website="x", **named)

    database.write(_spoil)
    pages = [*PAGES, *(f"/desk/calls/1/{page}" for page in CALL_PAGES)]
    pages += [f"/desk/availability/1/{page}" for page in HOST_PAGES]
    with database.read() as session:
        pages += [f"/desk/outbox/{id}/" for id in session.scalars(select(OutboxMessage.id))]
    sources = {page: client.get(page).text for page in pages}
    return {page: (text, markup.parse(text)) for page, text in sources.items()}


def _spoil(session) -> None:
    """Store values that every form refuses."""
    lead = session.get(Lead, 1)
    lead.email, lead.phone, lead.owner = HOSTILE, HOSTILE[:50], session.get(Member, 1)
    call = session.scalars(select(Booking)).one()
    call.email, call.phone = HOSTILE, HOSTILE[:50]
    for kind in ("wrote", "wanted_start"):
        events.record_event(session, lead, kind, MONDAY_MORNING, text=HOSTILE)
    consent = {"may_contact": True, "source": MARKUP[:40]}
    asked = leads_consent.Question(MARKUP[:40], MARKUP)
    leads_consent.record_consent(session, lead, asked, at=MONDAY_MORNING, **consent)
    events.add_note(session, lead, 1, HOSTILE, MONDAY_MORNING)
    lead.next_action, lead.next_action_on = HOSTILE, MONDAY_MORNING.date()
    lead.owner.name = HOSTILE
    events.record_event(
        session, lead, "next_action_changed", MONDAY_MORNING, action=HOSTILE, on=None
    )
    events.record_event(session, lead, "owner_changed", MONDAY_MORNING, owner=1, member=1)
    host = session.get_one(Host, 1)
    host.name, host.email, host.meeting_link = MARKUP, MARKUP, MARKUP
    host.time_off = [TimeOff(first_day=SUNDAY, last_day=CHRISTMAS, note=HOSTILE)]
    feed = CalendarFeed(url=f"https://{MARKUP}", label=MARKUP[:60], fault=MARKUP)
    host.feeds = [feed]
    session.add(Host(name=MARKUP, email="second@example.com", zone="UTC"))
    for mail in session.scalars(select(OutboxMessage)):
        mail.reason, mail.address = MARKUP, HOSTILE


def test_markup_in_any_field_is_escaped_on_every_page(hostile_pages):
    for page, (text, _) in hostile_pages.items():
        assert "<img" not in text, page
        assert text.count("<script") == text.count('<script type="module" src="/static/'), page
    shown = "".join(text for text, _ in hostile_pages.values())
    assert shown.count("&lt;img src=x onerror") > 20
    assert "{{7*7}}" in shown


def test_visitors_text_is_isolated_everywhere(hostile_pages):
    """Right-to-left text must not reorder the text beside it."""
    isolated = 0
    for page, (_, tree) in hostile_pages.items():
        parents = {child: parent for parent in tree.iter() for child in parent}
        texts = [(one, one.text) for one in tree.iter()]
        texts += [(parents[one], one.tail) for one in tree.iter() if one in parents]
        for inside, typed in texts:
            if typed and TYPED in typed and inside.tag not in ALONE:
                while inside is not None and inside.tag != "bdi":
                    inside = parents.get(inside)
                assert inside is not None, (page, typed)
                isolated += 1
    assert isolated > 20


def test_every_page_is_valid_and_has_one_heading_and_no_inline_style(hostile_pages):
    for page, (text, tree) in hostile_pages.items():
        assert len(tree.findall(".//h1")) == 1, page
        assert markup.repeated_ids(tree) == [], page
        for one in tree.iter():
            assert one.get("style") is None, page
            assert not any(name.startswith("on") for name in one.attrib if isinstance(name, str))
        assert 'name="robots" content="noindex"' in text
