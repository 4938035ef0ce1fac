"""Migrating a database with leads: they can be sorted and searched at once, in any script."""

import pytest
from sqlalchemy import text

from lead_service.db import schema
from lead_service.db.engine import Database
from lead_service.leads import models

pytestmark = pytest.mark.long

AT = "2026-11-23 08:00:00+00:00"
INSERT = (
    "INSERT INTO lead (id, address, email, name, company, phone, stage, quarantine, created_at,"
    " touched_at) VALUES (:id, :address, :address, :name, '', :phone, 'new', false,"
    f" '{AT}', '{AT}')"
)


def derived_of(lead: models.Lead) -> tuple[str, list[str], str]:
    return lead.sort_name, sorted(lead.sought.split("\n")), lead.domain


def test_leads_of_before_are_derived_as_new_ones_are(db_url):
    database = Database(db_url)
    schema.migrate(database, "0004")
    told = (("Émile ẞ", ""), ("", "+1 555 X7"), ("Ada", ""))
    known = [(id, f"lead{id}@example.com", *one) for id, one in enumerate(told, 1)]
    known[2] = (3, "ada@eu.acme.co.uk", *told[2])
    with database.engine.begin() as connection:
        for one in known:
            names = ("id", "address", "name", "phone")
            connection.execute(text(INSERT), dict(zip(names, one, strict=True)))
    schema.migrate(database)
    with database.read() as session:
        found = [session.get_one(models.Lead, id) for id, *_ in known]
        migrated = [derived_of(lead) for lead in found]
        assert {(lead.version, lead.next_action, lead.owner_id) for lead in found} == {
            (1, "", None)
        }
        for lead in found:
            models._derive(None, None, lead)
        assert [derived_of(lead) for lead in found] == migrated
    database.close()
    assert migrated[0] == ("émile ss", ["lead1@example.com"] * 2 + ["émile ss"], "")
    assert migrated[2][2] == "acme.co.uk"
