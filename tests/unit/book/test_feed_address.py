"""Addresses of calendars: only public servers by https, in any spelling."""

import pytest

from lead_service.book.calendars.feed_address import check, check_typed, host_of, is_allowed


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "2a00:1450::5"])
def test_public_addresses_are_allowed(address):
    assert is_allowed(address)


PRIVATE = """
10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 169.254.169.254 100.64.0.1
100.127.255.255 0.0.0.0 0.1.2.3 192.0.0.8 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1
224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: fe80::1 fe80::1%eth0 febf::1 fec0::1 fc00::1 fd12:3456::1 ff02::1 ff0e::1 100::1
::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:a9fe:a9fe ::10.0.0.1 ::ffff:0:10.0.0.1
64:ff9b::a00:1 64:ff9b:1::a00:1 2002:a00:1::1 2001:0:4136:e378::1 2001:db8::1 3fff::1 5f00::1
4000::1 nonsense 1.2.3 1.2.3.4.5
"""


@pytest.mark.parametrize("allow_loopback", [False, True])
def test_addresses_outside_the_public_internet_are_never_allowed(allow_loopback):
    assert [one for one in PRIVATE.split() if is_allowed(one, allow_loopback=allow_loopback)] == []


@pytest.mark.parametrize("address", ["127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_allowed_by_the_setting_alone(address):
    assert not is_allowed(address)
    assert is_allowed(address, allow_loopback=True)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://example.com/a.ics", "https://example.com/a.ics"),
        (" webcal://example.com/a.ics ", "https://example.com/a.ics"),
        ("webcals://example.com/a.ics", "https://example.com/a.ics"),
        ("feed://example.com/a.ics", "https://example.com/a.ics"),
        ("feed:https://example.com/a.ics", "https://example.com/a.ics"),
        ("WEBCAL://Example.COM/A.ics?b=C%20D", "https://example.com/A.ics?b=C%20D"),
        ("https://example.com", "https://example.com/"),
        ("https://example.com:8443/a#here", "https://example.com:8443/a"),
        ("https://bücher.example/ä.ics", "https://xn--bcher-kva.example/%C3%A4.ics"),
        ("https://[2606:4700::1111]/a", "https://[2606:4700::1111]/a"),
    ],
)
def test_a_calendars_address_is_stored_in_its_normalized_form(typed, kept):
    assert check(typed) == kept
    assert check(kept) == kept


REFUSED = [
    *("", "example.com/a.ics", "http://example.com/a.ics", "ftp://example.com/", "file:///etc"),
    *("https://", "https:///a", "https://example.com:0/", "https://example.com:x/"),
    *("https://example.com:22/a", "webcal://example.com:8080/a"),
    *("https://[::1/", "https://a b/", "https://example.com/\na", "https://example.com/\x00"),
    *("https://user:secret@example.com/", "https://user@example.com/", "javascript:alert(1)"),
    *("https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/", "https://169.254.169.254/"),
    *("https://[::ffff:10.0.0.1]/", "https://2130706433/", "https://0x7f000001/"),
    *("https://0177.0.0.1/", "https://127.1/", "https://10.0.0.1./", "https://a..example/"),
    f"https://example.com/{'a' * 2000}",
]


@pytest.mark.parametrize("typed", REFUSED)
def test_any_other_address_is_refused_without_being_repeated(typed):
    with pytest.raises(ValueError) as refused:
        check(typed)
    assert len(typed) < 9 or typed[8:] not in str(refused.value)


@pytest.mark.parametrize(
    "host",
    ["\u2026", "example.com", "Calendar.Example.ORG", "calendar.test", "_a.-b.example.", "a b"],
)
def test_a_host_that_is_still_to_be_filled_in_is_refused_when_it_is_typed(host):
    with pytest.raises(ValueError):
        check_typed(f"https://{host}/basic.ics")


def test_common_spellings_of_a_calendars_address_are_accepted():
    assert check_typed("webcal://calendar.ada.net/a.ics") == "https://calendar.ada.net/a.ics"
    assert check_typed("http://localhost:9/a", allow_loopback=True) == "http://localhost:9/a"


def test_this_machine_may_be_read_by_http_if_allowed():
    assert check("http://127.0.0.1:8080/a", allow_loopback=True) == "http://127.0.0.1:8080/a"
    for typed in ("http://example.com/", "https://10.0.0.1/", "ftp://localhost/"):
        with pytest.raises(ValueError):
            check(typed, allow_loopback=True)


def test_only_the_host_of_an_address_is_shown():
    assert host_of("https://calendar.example/private-1234/basic.ics") == "calendar.example"
