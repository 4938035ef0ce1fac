"""Form fields keep names of all languages, and remove hidden and reordering characters."""

import pytest
from werkzeug.datastructures import MultiDict
from wtforms import Form

from lead_service.leads import capture
from lead_service.web.fields import PLAIN_LETTERS, address


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("Ada@Example.COM", "ada@example.com"),
        ("ada+calls@example.com", "ada+calls@example.com"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example"),
    ],
)
def test_an_address_has_one_normalized_form(typed, address):
    assert capture.normalize_email(typed) == address


LONGEST = f"{'a' * 64}@{'.'.join(['b' * 63] * 2)}.{'c' * 57}.com"  # 254 characters
QUOTED = '"ada b"@example.com'  # allowed by RFC 5321, but refused by the library by default


def test_the_longest_address_is_taken():
    assert len(LONGEST) == 254
    assert capture.normalize_email(LONGEST) == LONGEST


@pytest.mark.parametrize(
    "typed", ["", "ada", "ada@", "@x.com", "a b@x.com", "ada@x..com", f"{LONGEST}m", QUOTED]
)
def test_an_invalid_address_is_refused(typed):
    with pytest.raises(ValueError, match=r"."):
        capture.normalize_email(typed)


class AddressForm(Form):
    email = address("Email")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("josé@example.com", [PLAIN_LETTERS]),
        ("毛@bücher.example", [PLAIN_LETTERS]),
        ("ada@bücher.example", []),
    ],
)
def test_a_letter_beyond_ascii_before_the_at_sign_is_refused_at_the_form(typed, said):
    form = AddressForm(MultiDict({"email": typed}))
    form.validate()
    assert form.email.errors == said
