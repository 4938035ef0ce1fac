"""Several kinds of call, each with its address, rules and hosts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from lead_service.book.forms import parse_start, start_text
from lead_service.book.hosts import setup
from lead_service.book.models import Booking, TimeCell
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.call_types import KIND, publish
from tests.support.app.calls import add_host, count, only_call
from tests.support.app.desk_client import press, sign_in
from tests.support.app.host_pages import HOST, RULES, send, stored
from tests.support.app.hosts import change_host
from tests.support.app.visitor_forms import VISITOR, assess, book, booking_form, hidden

REVIEW = replace(
    KIND,
    slug="review",
    name="Pilot review",
    minutes=90,
    description="Bring your numbers.",
    agenda=(),
    price="",
    notice=0,
    daily_limit=1,
    question="Which numbers do you have?",
)
TUESDAY = "20261124T0900Z"


@pytest.fixture
def review(app, database):
    """A second kind of call, which the first host takes, too."""
    publish(app, KIND, REVIEW)
    change_host(database, call_types=["discovery", "review"])


def ask_for_review(client, start: str = TUESDAY, **more: str):
    page = client.get(f"/book/review/{start}/").text
    form = {name: hidden(page, name) for name in ("start", "submission", "terms", "kind")}
    return client.post("/book/", data=VISITOR | form | more)


def test_a_kind_is_booked_at_its_own_address_with_its_own_words_and_length(
    client, database, mails, review
):
    times = client.get("/book/review/?zone=UTC&day=2026-11-24").text
    assert "90 minutes" in times and "Bring your numbers." in times
    assert "/book/review/20261124T1530Z/" in times
    assert "/book/review/20261124T1600Z/" not in times  # it would end after the hours do
    assert 'href="/book/review/"' in client.get("/book/").text
    form = client.get(f"/book/review/{TUESDAY}/").text
    assert "Which numbers do you have?" in form
    assert "free" not in form.lower()
    refused = ask_for_review(client, topic="x" * 2001).text
    assert "\u201cWhich numbers do you have?\u201d must be 2,000 characters or fewer." in refused
    booked = ask_for_review(client)
    assert booked.status_code == 303
    shown = client.get(booked.location).text
    assert "Bring your numbers." in shown
    assert not [
        one for one in (shown, *(m.text for _, m in mails())) if "nothing to prepare" in one
    ]
    call = only_call(database)
    assert (call.kind, call.call_name, call.duration) == ("review", "Pilot review", 90)
    assert "Pilot review" in client.get(booked.location).text
    assert b"Pilot review" in mails()[0][1].attachments[0].content
    assert client.post(f"{booked.location}cancel").status_code == 303
    assert 'href="/book/review/?zone=' in client.get(booked.location).text
    (told,) = [one for _, one in mails() if one.kind == "booking_cancelled"]
    assert "/book/review/" in told.text


def test_a_kind_has_its_own_daily_limit(client, review):
    assert ask_for_review(client).status_code == 303
    later = start_text(parse_start(TUESDAY) + timedelta(hours=3))
    assert client.get(f"/book/review/{later}/").status_code == 404
    assert client.get(f"/book/{later}/").status_code == 200


@pytest.mark.parametrize("path", ["/book/review/", f"/book/review/{TUESDAY}/", "/book/x/"])
def test_an_unknown_kind_has_no_page(client, path):
    assert client.get(path).status_code == 404


def test_the_default_kind_has_one_address(client):
    moved = client.get("/book/discovery/?zone=Asia/Tokyo")
    assert (moved.status_code, moved.location) == (301, "/book/?zone=Asia/Tokyo")


def test_only_hosts_who_take_a_kind_offer_it(client, database, review):
    ann = add_host(database, zone="America/Chicago")
    assert "Ann Example" in client.get("/book/").text
    assert "Ann Example" not in client.get("/book/review/").text
    change_host(database, ann, call_types=["review"])
    assert "Ann Example" in client.get("/book/review/").text


def test_no_link_leads_to_a_kind_that_cannot_be_booked(app, client, framework, database, review):
    publish(app, KIND, replace(REVIEW, fits=("readiness-assessment",)))
    result, booked = assess(client, framework), ask_for_review(client).location
    client.post(f"{booked}cancel")
    ann = add_host(database, call_types=["discovery"])
    for kinds, path in ((["review"], "/book/review/?"), ([], "/book/?")):
        change_host(database, call_types=kinds)
        assert f'href="{path}assessment=' in client.get(result).text
        assert f'href="{path}zone=' in client.get(booked).text
        assert ('href="/book/review/"' in client.get("/book/").text) is bool(kinds)
    change_host(database, ann, call_types=["discovery", "review"], hours=[])
    assert 'href="/book/review/"' not in client.get("/book/").text


def test_check_names_a_kind_that_no_host_takes(app, database, settings, review):
    change_host(database, call_types=["discovery"])
    calls = app.extensions["lead_service"].published.calls
    with database.read() as session:
        (fault,) = setup.problems(session, settings, calls, MONDAY_MORNING)
    assert "\u201cPilot review\u201d" in fault


def test_check_names_a_host_whose_calls_had_another_length_until_their_rules_are_saved(
    client, context, database, settings
):
    def faults() -> list[str]:
        with database.read() as session:
            return list(setup.problems(session, settings, context.published.calls, MONDAY_MORNING))

    assert faults() == []
    change_host(database, duration=45)
    (fault,) = faults()
    assert "45 minutes" in fault and "now take 30" in fault
    sign_in(client, database, settings)
    assert send(client, HOST + "rules/", **RULES).status_code == 303
    assert faults() == []


def test_a_kind_by_video_needs_a_host_with_a_link_and_one_by_phone_a_number(
    app, client, database, settings, review
):
    publish(app, KIND, replace(REVIEW, meet="video"))
    assert "No times are available" in client.get("/book/review/").text
    sign_in(client, database, settings)
    assert "book Pilot review with this host" in client.get(HOST).text
    change_host(database, meeting_link="https://meet.example.com/ann")
    assert ", by video" in client.get("/book/review/").text
    publish(app, KIND, replace(REVIEW, meet="phone"))
    assert ask_for_review(client, phone="").status_code == 422
    assert ask_for_review(client).status_code == 303
    assert only_call(database).meeting_link == ""


def test_a_booking_keeps_kind_and_length_when_it_moves_whatever_the_file_says_now(
    app, client, database, review
):
    page = ask_for_review(client).location
    for kinds in ((KIND, replace(REVIEW, minutes=30)), (KIND,)):
        publish(app, *kinds)
        assert "90 minutes" in client.get(page + "move/").text
    wanted = start_text(parse_start(TUESDAY) + timedelta(days=1))
    shown = client.get(f"{page}move/{wanted}/").text
    form = {"start": wanted, "terms": hidden(shown, "terms")}
    assert client.post(page + "move/", data=form).status_code == 303
    call = only_call(database)
    assert (call.kind, call.duration, count(database, TimeCell)) == ("review", 90, 18)


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        ((KIND, replace(REVIEW, minutes=120)), "120 minutes"),
        ((KIND,), "We no longer offer that kind of call."),
    ],
)
def test_a_form_is_shown_again_when_its_kind_has_changed_or_was_removed(
    app, client, database, review, kinds, told
):
    page = client.get(f"/book/review/{TUESDAY}/").text
    form = {name: hidden(page, name) for name in ("start", "submission", "terms", "kind")}
    publish(app, *kinds)
    shown = client.post("/book/", data=VISITOR | form)
    assert shown.status_code == 409
    assert told in shown.text and VISITOR["name"] in shown.text
    assert count(database, Booking) == 0


def test_admins_choose_which_kinds_a_host_takes(client, database, settings, review):
    sign_in(client, database, settings)
    rules = RULES | {"call_types": ["review"]}
    assert send(client, HOST + "rules/", **rules).status_code == 303
    assert stored(database).call_types == ["review"]
    shown = client.get(HOST + "?kind=review").text
    assert "Pilot review, 90 minutes" in shown
    made_up = send(client, HOST + "rules/", **RULES | {"call_types": ["gone"]})
    assert made_up.status_code == 422
    why = client.get(HOST + "why/?at=2026-11-24T16:30&kind=review").text
    assert "Pilot review" in client.get("/book/review/").text
    assert "90 minutes" in why


def test_a_request_becomes_an_invitation_when_the_team_confirms_it(
    app, client, database, settings, mails, post, review
):
    change_host(database, meeting_link="https://meet.example.com/ann")
    publish(app, KIND, replace(REVIEW, confirm_first=True, price="$400"))
    times, form = client.get("/book/review/").text, client.get(f"/book/review/{TUESDAY}/").text
    assert "we confirm it by email" in times and "90 minutes, $400" in times
    assert "Request this time" in form and "Book this call" not in form
    page = ask_for_review(client).location
    wanted = start_text(parse_start(TUESDAY) + timedelta(days=1))
    told, host = told_of_request(mails)
    assert "We have your request" in told.subject and "$400" in told.text
    assert page in told.text and not told.attachments
    assert host.subject.startswith("Please confirm: ") and "/desk/calls/1/" in host.text
    assert b"STATUS:TENTATIVE" in host.attachments[0].content
    post()
    assert "still have to confirm" in client.get(f"{page}move/{wanted}/").text
    moved = client.post(page + "move/", data={"start": wanted}).location
    assert "Your request has been rescheduled" in client.get(moved).text
    assert "Your request has changed" in told_of_request(mails)[0].subject
    for path in (page, moved):
        assert "we confirm the call" in client.get(path).text
    assert client.get(page + "invite.ics").status_code == 404
    sign_in(client, database, settings)
    assert "Needs confirmation" in client.get("/desk/calls/").text
    for path in ("/desk/", "/desk/leads/1/"):
        shown = client.get(path).text
        assert ", needs confirmation" in shown and "Join the call" not in shown
    seen = hidden(client.get("/desk/calls/1/").text, "seen")
    for shown, status in (("0", 409), (seen, 303), (seen, 409)):
        answer = press(client, "/desk/calls/1/", "/desk/calls/1/confirm", seen=shown)
        assert answer.status_code == status
        assert ("has changed since you opened" in answer.text) == (shown == "0")
    kinds = {one.kind: one for row, one in mails() if row.state == "pending"}  # no receipt
    assert set(kinds) == {"booking_confirmed", "booking_for_host", "booking_reminder"}
    host = kinds["booking_for_host"]
    assert host.subject.startswith("Confirmed: ")
    assert b"STATUS:CONFIRMED" in host.attachments[0].content
    assert client.get(page + "invite.ics").status_code == 200


def told_of_request(mails):
    """Return the emails to visitor and host about a call that the team has to confirm."""
    found = {one.kind: one for _, one in mails()}
    assert not {"booking_confirmed", "booking_changed", "booking_reminder"} & set(found)
    return found["booking_requested"], found["booking_for_host"]


def test_a_canceled_request_withdraws_no_invitation(app, client, mails, review):
    publish(app, KIND, replace(REVIEW, confirm_first=True))
    page = ask_for_review(client).location
    corrected = client.post(page + "address", data={"email": "ada@example.org"}).location
    client.post(corrected + "cancel")
    assert "for your calendar" not in client.get(corrected).text
    (told,) = [one for _, one in mails() if one.kind == "booking_cancelled"]
    assert not told.attachments and "calendar" not in told.text


def test_emails_follow_the_visitor_s_clock(client, mails, post):
    german, american = {"Accept-Language": "de-DE"}, {"Accept-Language": "en-US"}
    page = client.post("/book/", data=booking_form(client, TUESDAY), headers=german).location
    (told,) = [one for _, one in mails() if one.kind == "booking_confirmed"]
    assert told.subject == "Your call is booked: Tue, Nov 24, 10:00 CET"
    assert "10:00 Berlin time (CET)" in told.text
    post()
    wanted = start_text(parse_start(TUESDAY) + timedelta(days=1))
    moved = client.post(page + "move/", data={"start": wanted}, headers=american)
    assert moved.status_code == 303
    (told,) = [one for _, one in mails() if one.kind == "booking_changed"]
    assert "10:00 am Berlin time (CET)" in told.text


def test_several_kinds_never_overlap(client, review):
    assert ask_for_review(client).status_code == 303
    inside = start_text(parse_start(TUESDAY) + timedelta(minutes=60))
    assert client.get(f"/book/{inside}/").status_code == 404
    book(client, start_text(parse_start(TUESDAY) + timedelta(minutes=90)))
