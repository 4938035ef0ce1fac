"""Several hosts, by phone or by video: the free one decides the way to meet."""

import pytest

from lead_service.book.models import Booking
from tests.support.app.calls import add_host, count, only_call
from tests.support.app.hosts import change_host
from tests.support.app.visitor_forms import VISITOR, book, booking_form, hidden, open_starts

LINK = "https://meet.example.com/ann"
BOTH, ANN_ALONE = "20261123T1600Z", "20261123T1800Z"  # 10 am and noon in Chicago


@pytest.fixture
def ann(app, database) -> int:
    """Add a host in Chicago who meets by link; the first one, in UTC until five, calls."""
    return add_host(database, zone="America/Chicago", meeting_link=LINK)


def asks_for_a_number(page: str) -> bool:
    return 'name="phone"' in page


@pytest.mark.usefixtures("ann")
def test_the_form_for_a_start_names_the_free_hosts(client):
    alone = client.get(f"/book/{ANN_ALONE}/?zone=Asia/Tokyo").text
    assert "Ann Example" in alone
    assert "Monday, 12:00\u00a0pm, Chicago time (CST)" in alone  # Tuesday in Tokyo
    assert "UTC" not in alone
    both = client.get(f"/book/{BOTH}/?zone=Asia/Tokyo").text
    assert "Ann Example" not in both and "Chicago" not in both  # the host is not chosen yet


@pytest.mark.usefixtures("ann")
def test_a_phone_number_is_asked_for_only_if_the_host_may_call(client, database):
    assert asks_for_a_number(client.get(f"/book/{BOTH}/").text)
    assert not asks_for_a_number(client.get(f"/book/{ANN_ALONE}/").text)
    book(client, ANN_ALONE, phone="")
    assert only_call(database).meeting_link == LINK


@pytest.mark.usefixtures("ann")
def test_a_typed_number_is_kept_for_any_host(client, database):
    book(client, ANN_ALONE)
    assert only_call(database).phone == VISITOR["phone"]


def test_a_number_is_required_when_the_host_with_a_link_is_taken_meanwhile(client, database, ann):
    form = booking_form(client, BOTH, phone="")
    book(client, BOTH, host=str(ann), email="faster@example.com")
    page = client.post("/book/", data=form)
    assert page.status_code == 422
    assert "Enter your phone number." in page.text
    assert count(database, Booking) == 1


@pytest.mark.parametrize(
    "change",
    [{"meeting_link": ""}, {"is_active": False}],
    ids=["way", "host"],
)
def test_a_form_is_shown_again_when_its_terms_have_changed(client, database, ann, change):
    add_host(database, name="Cleo", zone="America/Chicago", meeting_link=LINK)
    change_host(database, 3, is_active=False)
    form = booking_form(client, ANN_ALONE)
    change_host(database, ann, **change)
    change_host(database, 3, is_active="is_active" in change)
    was = "Cleo instead of Ann Example" if "is_active" in change else "By phone instead of by video"
    for phone in ("", VISITOR["phone"]):
        again = client.post("/book/", data=form | {"phone": phone})
        assert again.status_code == (422 if asks_for_a_number(again.text) and not phone else 409)
        assert "has changed since you opened this page" in again.text and was in again.text
    assert count(database, Booking) == 0
    form["terms"] = hidden(again.text, "terms")
    assert client.post("/book/", data=form).status_code == 303


def test_moving_to_a_host_who_phones_requires_a_number(client, database, ann):
    page = book(client, ANN_ALONE, phone="")
    change_host(database, ann, is_active=False)
    shown = client.get(f"{page}move/{BOTH}/").text
    assert "By phone: we\u2019ll call you" in shown and "By phone instead of by video" in shown
    assert "ACTION Advisory instead of Ann Example" in shown
    form = {"start": BOTH, "terms": hidden(shown, "terms")}
    refused = client.post(page + "move/", data=form)
    assert refused.status_code == 422
    assert "Enter your phone number." in refused.text
    assert client.post(page + "move/", data=form | {"phone": "+1 555 0100"}).status_code == 303
    assert only_call(database).phone == "+1 555 0100"


def test_a_move_is_shown_again_when_its_terms_have_changed(client, database, ann):
    page = book(client, ANN_ALONE)
    shown = client.get(f"{page}move/{BOTH}/").text
    change_host(database, ann, meeting_link="")
    form = {"start": BOTH, "terms": hidden(shown, "terms")}
    again = client.post(page + "move/", data=form)
    assert again.status_code == 409
    assert "By phone: we\u2019ll call you" in again.text
    form["terms"] = hidden(again.text, "terms")
    assert client.post(page + "move/", data=form).status_code == 303


def test_without_a_question_for_a_number_the_time_is_reported_as_taken(client, ann):
    form = booking_form(client, ANN_ALONE, phone="")
    book(client, ANN_ALONE, email="faster@example.com")
    page = client.post("/book/", data=form)
    assert page.status_code == 409
    assert "That time is no longer available" in page.text
    assert open_starts(client, host=str(ann))
