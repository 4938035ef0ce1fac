"""The database roles of the containers: the web service's role can't change tables."""

import os
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from lead_service.db import schema
from lead_service.db.engine import Database
from lead_service.leads import capture
from lead_service.leads.contact_details import ContactDetails
from lead_service.leads.models import Lead
from tests.service.conftest import MONDAY_MORNING
from tests.support.engines import only_postgresql

ROLES = Path(__file__).parents[3] / "deploy" / "roles.sql"


@pytest.fixture
def as_role(db_url):
    """Create the database of the containers, and return its address for a role."""
    given = make_url(db_url)
    folder = given.query["host"]
    psql = ("psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--host={folder}")
    environment = os.environ | {"POSTGRES_PASSWORD": "made up", "PGUSER": "postgres"}
    environment["SERVICE_PASSWORD"] = "another"

    def run(*more: str) -> None:
        subprocess.run([*psql, *more], env=environment, check=True, capture_output=True)

    run("--command=ALTER ROLE postgres PASSWORD 'made up'", "postgres")
    run("--command=CREATE DATABASE advisory", "postgres")
    try:
        run(f"--file={ROLES}", "advisory")
        yield lambda role: f"postgresql+psycopg://{role}@/advisory?host={folder}"
    finally:
        run("--command=DROP DATABASE advisory WITH (FORCE)", "postgres")
        run("--command=DROP ROLE advisory, advisory_owner", "postgres")


@only_postgresql
def test_the_web_role_reads_and_writes_rows_and_changes_no_table(as_role):
    owner = Database(as_role("advisory_owner"))
    schema.migrate(owner)
    owner.close()
    database = Database(as_role("advisory"))
    database.write(
        lambda session: capture.capture_lead(
            session, ContactDetails(email="ada@lead.test"), at=MONDAY_MORNING
        )
    )
    with database.read() as session:
        assert schema.fault(database) is None
        assert session.scalars(select(Lead.email)).all() == ["ada@lead.test"]
        assert not session.scalar(
            text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        )
    for change in (
        "DROP TABLE lead",
        "CREATE TABLE another (id int)",
        "COPY lead TO PROGRAM 'true'",
    ):
        with pytest.raises(ProgrammingError, match=r"permission denied|must be"):
            database.write(lambda session, change=change: session.execute(text(change)))
    database.close()
    superuser = Database(as_role("postgres"))
    with superuser.read() as session:
        secret = text("SELECT rolpassword FROM pg_authid WHERE rolname = current_user")
        assert session.scalar(secret) is None  # no sign-in over the network
    superuser.close()
