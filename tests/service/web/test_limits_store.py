"""An unavailable store of rate limits: booking goes on, and each process counts by itself.

That several processes count together is shown with processes, in tests/deploy.
"""

import pytest

from lead_service.web import rate_limits
from lead_service.web.rate_limits import RateLimits
from tests.service.conftest import Browser
from tests.support.app.desk_client import press
from tests.support.app.visitor_forms import booking_form, open_starts

FROM_OUTSIDE = {"REMOTE_ADDR": "203.0.113.9"}


@pytest.fixture
def client(environment, limits_store, request):
    environment |= {"LIMITS_STORAGE": limits_store.url, "LIMIT_POSTS": "4 per hour"}
    app = request.getfixturevalue("app")
    app.test_client_class = Browser
    return app.test_client()


def posted(client) -> int:
    return client.post("/contact/", data={"name": "x"}, environ_base=FROM_OUTSIDE).status_code


def test_visitors_can_book_while_the_store_is_unavailable(client, limits_store):
    form = booking_form(client, open_starts(client)[0])
    limits_store.stop()
    assert client.post("/book/", data=form, environ_base=FROM_OUTSIDE).status_code == 303


def test_a_client_is_still_held_to_its_limit(client, limits_store):
    assert posted(client) == 422
    limits_store.stop()
    codes = [posted(client) for _ in range(6)]
    assert codes[0] == 422  # from here on, counted by this process alone
    assert codes[-1] == 429


def test_members_can_sign_in_while_the_store_is_unavailable(client, limits_store):
    limits_store.stop()
    answer = press(client, "/desk/sign-in/", email="ann@example.com")
    assert answer.status_code == 303


def test_a_store_that_recovers_is_used_again(limits_store, monkeypatch, caplog):
    counter = RateLimits(limits_store.url)
    assert counter.hit("1 per hour", "client") == 0
    limits_store.stop()
    assert counter.hit("1 per hour", "client") == 0  # counted here from zero
    assert counter.hit("1 per hour", "client") > 0
    assert [line.message for line in caplog.records] == ["the store of rate limits is unavailable"]
    limits_store.start()
    monkeypatch.setattr(rate_limits, "ASKED_AGAIN", 0)
    assert counter.hit("1 per hour", "client") == 0  # the store has lost its data


def test_hits_counted_by_one_process_count_in_another(limits_store):
    one, another = RateLimits(limits_store.url), RateLimits(limits_store.url)
    assert one.hit("1 per hour", "client") == 0
    assert another.hit("1 per hour", "client") > 0
