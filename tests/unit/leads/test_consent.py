"""Whether the team may email a person, and about which topics."""

from itertools import product

import pytest

from lead_service.leads.consent import Agreed, Occasion, current, may_email_about, permission
from lead_service.leads.models import Consent

CHOICES = [Agreed(*chosen) for chosen in product((False, True), repeat=2)]
ASKED_US = {Occasion.CALL, Occasion.WANTED_CALL, Occasion.MESSAGE, Occasion.TALK}
MUST_AGREE = {Occasion.RESULT, Occasion.CONSENT}


@pytest.mark.parametrize("agreed", CHOICES)
@pytest.mark.parametrize("occasion", Occasion)
def test_people_who_wrote_or_booked_are_answered_and_others_must_agree(occasion, agreed):
    said = permission(occasion, agreed)
    may_write = occasion in ASKED_US or (occasion in MUST_AGREE and bool(agreed.topics))
    assert said.may_write == may_write
    assert ("agreed that we may email" in said.text) == (may_write and bool(agreed.topics))


@pytest.mark.parametrize(
    ("given", "said", "also"),
    [
        ("book+!", "agreed that we may email", "also agreed that we may email"),
        ("book+! email-", "agreed to be contacted, but later", "agreed to other emails, but later"),
        ("book+! told-!", "agreed to be contacted, but later", "agreed to other emails, but later"),
        ("book+", "have not confirmed it", "have not confirmed it"),
        ("book-", "did not agree to be contacted.", "not agree to be contacted about anything"),
        ("book- email-", "did not agree to be contacted.", "not agree to be contacted about any"),
        ("", "We have not asked", "We have not asked whether we may contact them about anything"),
    ],
)
def test_agreed_withdrew_refused_and_never_asked_are_distinguished(given, said, also):
    agreed = current(chosen(given))
    assert said in permission(Occasion.RESULT, agreed).text
    for occasion in ASKED_US:
        assert also in permission(occasion, agreed).text


def test_the_topics_of_a_consent_are_named():
    disowned = [permission(occasion, Agreed(True, True, is_disowned=True)) for occasion in Occasion]
    assert not any(one.may_write for one in disowned)
    for occasion in (Occasion.CALL, Occasion.RESULT):
        assert "not confirmed it" in permission(occasion, Agreed(waiting=(Consent(),))).text
    assert not permission(Occasion.RESULT, Agreed(waiting=(Consent(),))).may_write
    assert permission(Occasion.RESULT, Agreed(result=True)).text == (
        "They agreed that we may email them about their result."
    )
    both = permission(Occasion.CALL, Agreed(services=True, result=True)).text
    assert both.endswith("email them about their result and our services.")


def chosen(text: str) -> list[Consent]:
    """Read consents: source, + or - for the box, ! for a confirmation, such as "book+!"."""
    return [
        Consent(source=one.strip("+-!"), may_contact="+" in one, is_proved="!" in one)
        for one in text.split()
    ]


@pytest.mark.parametrize(
    ("given", "topics", "waiting"),
    [
        ("book+", "their request only", 1),
        ("book+ contact-", "their request only", 1),  # a box left unchecked withdraws nothing
        ("book+! contact-", "our services", 0),
        ("contact- book+!", "our services", 0),
        ("book+! email-", "their request only", 0),
        ("book+ email-", "their request only", 0),
        ("book+! email- contact+", "their request only", 1),
        ("book+! email- contact+!", "our services", 0),
        ("book+! contact+", "our services", 0),  # no second confirmation is needed
        ("result+! result-", "their result", 0),
        ("result+ book+", "their request only", 2),
        ("result+! book+! email-", "their request only", 0),
        ("result+! book+! email- result-", "their request only", 0),
        ("result+! told-!", "their result", 0),
        ("book+ told-!", "their request only", 0),
        ("told+! contact-", "our services", 0),
        ("told-! book+!", "our services", 0),
        ("", "their request only", 0),
    ],
)
def test_only_a_withdrawal_ends_a_consent(given, topics, waiting):
    agreed = current(chosen(given))
    assert (may_email_about(agreed, has_asked=True), len(agreed.waiting)) == (topics, waiting)


def test_exports_name_the_topics_for_emails_like_the_desk():
    for occasion, agreed in product(ASKED_US | {Occasion.RESULT}, CHOICES):
        topics = may_email_about(agreed, has_asked=occasion in ASKED_US)
        assert (topics != "nothing") == permission(occasion, agreed).may_write
    disowned = Agreed(services=True, is_disowned=True)
    assert may_email_about(disowned, has_asked=True) == "nothing"
