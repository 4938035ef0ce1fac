"""Migrating a database that is in use: what refers to an assessment still does afterward."""

import pytest
from sqlalchemy import text

from lead_service.db import schema
from lead_service.db.engine import Database

pytestmark = pytest.mark.both_engines

AT = "2026-11-23 08:00:00+00:00"
ROWS = (
    f"INSERT INTO framework_version VALUES ('v', 'text', '{AT}')",
    "INSERT INTO lead (id, address, email, name, company, phone, stage, quarantine, created_at,"
    f" touched_at) VALUES (1, 'a@b.example', 'a@b.example', '', '', '', 'new', false, '{AT}',"
    f" '{AT}')",
    "INSERT INTO assessment (id, token_hash, framework_version, answers, started_at, touched_at,"
    f" lead_id) VALUES (1, 'h', 'v', '{{}}', '{AT}', '{AT}', 1)",
    "INSERT INTO host (id, name, email, zone, meeting_link, is_active, duration, interval,"
    " buffer_before, buffer_after, notice) VALUES (1, 'Ann', 'ann@example.com', 'UTC', '', true,"
    " 30, 30, 0, 0, 0)",
    "INSERT INTO booking (id, uid, sequence, token_hash, submission_key, host_id, lead_id,"
    " assessment_id, status, quarantine, starts_at, duration, buffer_before, buffer_after,"
    " host_zone, visitor_zone, meeting_link, name, email, address_changes, company, phone, topic,"
    f" created_at) VALUES (1, 'u', 0, 't', 'k', 1, 1, 1, 'confirmed', false, '{AT}', 30, 0, 0,"
    f" 'UTC', 'UTC', '', 'Ada', 'a@b.example', 0, '', '', '', '{AT}')",
)


def test_sharing_came_to_a_database_with_bookings_and_took_nothing_from_them(db_url):
    database = Database(db_url)
    schema.migrate(database, "0002")
    with database.engine.begin() as connection:
        for row in ROWS:
            connection.execute(text(row))
    schema.migrate(database)
    with database.engine.connect() as connection:
        of_booking = connection.scalar(text("SELECT assessment_id FROM booking"))
        shared = connection.execute(text("SELECT share_uid, share_hash FROM assessment")).all()
    database.close()
    assert of_booking == 1
    assert shared == [(None, None)]
