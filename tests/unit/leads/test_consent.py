"""Whether the team may get in touch with a person, and about what."""

from itertools import product

import pytest

from lead_service.leads.consent import Agreed, Occasion, permission

CHOICES = [Agreed(*chosen) for chosen in product((False, True), repeat=2)]
ASKED_US = {Occasion.CALL, Occasion.WANTED_CALL, Occasion.MESSAGE, Occasion.TALK}
MUST_AGREE = {Occasion.RESULT, Occasion.CONSENT}


@pytest.mark.parametrize("agreed", CHOICES)
@pytest.mark.parametrize("occasion", Occasion)
def test_who_asked_us_for_something_is_answered_and_who_only_took_a_result_must_agree(
    occasion, agreed
):
    said = permission(occasion, agreed)
    may_write = occasion in ASKED_US or (occasion in MUST_AGREE and bool(agreed.topics))
    assert said.may_write == may_write
    assert ("agreed that we may write" in said.text) == (may_write and bool(agreed.topics))


@pytest.mark.parametrize("occasion", ASKED_US)
def test_without_consent_only_what_they_asked_for_may_be_talked_about(occasion):
    assert "did not agree to hear from us about anything else" in (
        permission(occasion, Agreed()).text
    )


def test_what_was_agreed_to_is_named():
    disowned = [permission(occasion, Agreed(True, True, is_disowned=True)) for occasion in Occasion]
    assert not any(one.may_write for one in disowned)
    for occasion in (Occasion.CALL, Occasion.RESULT):
        assert "not confirmed it" in permission(occasion, Agreed(is_waiting=True)).text
    assert not permission(Occasion.RESULT, Agreed(is_waiting=True)).may_write
    assert permission(Occasion.RESULT, Agreed(result=True)).text == (
        "They agreed that we may write to them about their result."
    )
    both = permission(Occasion.CALL, Agreed(services=True, result=True)).text
    assert both.endswith("write to them about their result and our services.")
