"""Addresses that belong to one company."""

import pytest

from lead_service.leads.company import company_domain


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("dana@harborline.com", "harborline.com"),
        ("dana@harborline.co.uk", "harborline.co.uk"),
        ("dana@mail.harborline.co.uk", "harborline.co.uk"),
        ("carl@eu.Harborline.com", "harborline.com"),
        ("dana@sales.eu.harborline.de", "harborline.de"),
        ("dana@harborline.onmicrosoft.com", "harborline.onmicrosoft.com"),
        ("dana@live.harborline.com", "harborline.com"),
        ("dana@localhost", "localhost"),
        ("dana@Gmail.com", ""),
        ("dana@yahoo.co.jp", ""),
        ("dana@web.de", ""),
        ("dana@example.com", ""),
        ("dana@gmailing.com", "gmailing.com"),
    ],
)
def test_a_domain_is_a_company_unless_it_offers_public_mailboxes(address, domain):
    assert company_domain(address) == domain
