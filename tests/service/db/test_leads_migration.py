"""Migrating a database with leads: they can be sorted and searched at once, in any script."""

import pytest
from sqlalchemy import text

from lead_service.db import schema
from lead_service.db.engine import Database
from lead_service.leads import models

pytestmark = pytest.mark.both_engines

AT = "2026-11-23 08:00:00+00:00"
INSERT = (
    "INSERT INTO lead (id, address, email, name, company, phone, stage, quarantine, created_at,"
    f" touched_at) VALUES (:id, :address, :address, :name, '', '', 'new', false, '{AT}', '{AT}')"
)


def test_leads_of_before_are_derived_as_new_ones_are(db_url):
    database = Database(db_url)
    schema.migrate(database, "0004")
    names = ("Émile ẞ", "", "Ada")
    known = [(id, f"lead{id}@example.com", name) for id, name in enumerate(names, 1)]
    with database.engine.begin() as connection:
        for id, address, name in known:
            connection.execute(text(INSERT), {"id": id, "address": address, "name": name})
    schema.migrate(database)
    with database.read() as session:
        found = [session.get_one(models.Lead, id) for id, _, _ in known]
        migrated = [(lead.sort_name, lead.sought) for lead in found]
        assert {(lead.version, lead.next_action, lead.owner_id) for lead in found} == {
            (1, "", None)
        }
        for lead in found:
            models._derive(None, None, lead)
        assert [(lead.sort_name, lead.sought) for lead in found] == migrated
    database.close()
    assert migrated[0] == ("émile ss", "émile ss\nlead1@example.com\nlead1@example.com")
