"""Phone numbers as links and in exports."""

import pytest

from lead_service.formats import e164, tel_number


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
        ("Tel: +1 555 0100", "+15550100"),
        ("", ""),
    ],
)
def test_the_link_has_the_digits_to_dial(typed, dialled):
    assert tel_number(typed) == dialled


@pytest.mark.parametrize("typed", ['+1"><script>', "javascript:alert(1)", "5550100;ext=1\r\n"])
def test_the_link_contains_nothing_else(typed):
    assert set(tel_number(typed)) <= set("+0123456789")


@pytest.mark.parametrize(
    ("typed", "country", "whole"),
    [
        ("+1 (212) 555-0100", "", "+12125550100"),
        ("0049 30 901820", "", "+4930901820"),
        ("tel:+442079460958", "", "+442079460958"),
        ("=1+1", "US", ""),
        ("+49 (0)30 901820 ext. 7", "US", "+4930901820"),
        ("(415) 555-0100", "US", "+14155550100"),
        ("1-415-555-0100", "US", "+14155550100"),
        ("011 44 20 7946 0000", "US", "+442079460000"),
        ("030 901820", "DE", "+4930901820"),
        ("(415) 555-0100", "", ""),
        ("555-0100", "US", ""),
        ("+1 555 0100", "US", ""),
        ("ask Jonas", "DE", ""),
        ("", "US", ""),
    ],
)
def test_a_number_is_exported_for_any_country_when_its_own_is_known(typed, country, whole):
    assert e164(typed, country) == whole
