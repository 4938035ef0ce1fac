"""A number that somebody typed leads to the telephone that they meant."""

import pytest

from lead_service.formats import tel_number


@pytest.mark.parametrize(
    ("typed", "dialled"),
    [
        ("+1 555 0100", "+15550100"),
        ("(415) 555-0100", "4155550100"),
        ("+49 (0)30 901820", "+4930901820"),
        ("(0)30 901820", "030901820"),
        ("+1 555 0100 ext. 12", "+15550100"),
        ("\uff0b44 20 7946 0000", "+442079460000"),
        ("\u0661\u0662\u0663", "123"),
        ("ask Jonas", ""),
        ("ext 12", ""),
        ("", ""),
    ],
)
def test_the_link_holds_what_is_dialled(typed, dialled):
    assert tel_number(typed) == dialled


@pytest.mark.parametrize("typed", ['+1"><script>', "javascript:alert(1)", "5550100;ext=1\r\n"])
def test_the_link_holds_nothing_else(typed):
    assert set(tel_number(typed)) <= set("+0123456789")
