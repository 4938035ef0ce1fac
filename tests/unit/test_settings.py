"""Settings: typed, checked at start, wrong ones named."""

import pytest

from lead_service.settings import SettingsError, load

PRODUCTION = {
    "PUBLIC_URL": "https://advisory.example",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCD",
    "DATABASE_URL": "postgresql://db/advisory",
    "SENDGRID_API_KEY": "SG.key",
    "MAIL_FROM": "calls@advisory.example.com",
    "SALES_TO": "ann@example.com, ben@example.com",
    "PRACTICE_LEGAL_NAME": "Advisory Ltd",
    "PRACTICE_POSTAL_ADDRESS": "1 Street, Town",
    "PRACTICE_EMAIL": "hello@example.com",
}


def faults(environ: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as error:
        load(environ)
    return str(error.value)


def test_local_mode_needs_nothing_and_makes_a_secret_that_it_keeps(tmp_path):
    environ = {"VAR_DIR": str(tmp_path)}
    first, second = load(environ), load(environ)
    assert first.is_local
    assert len(first.secret) >= 32
    assert first.secret == second.secret
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_complete_production_starts():
    settings = load(PRODUCTION)
    assert not settings.is_local
    assert settings.sales_to == ("ann@example.com", "ben@example.com")
    assert settings.link("/book/") == "https://advisory.example/book/"


@pytest.mark.parametrize("name", sorted(set(PRODUCTION) - {"PUBLIC_URL"}))
def test_production_names_each_missing_setting(name):
    assert name in faults({key: PRODUCTION[key] for key in PRODUCTION if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "a" * 40),
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("DATABASE_URL", "mysql://db"),
        ("SALES_TO", "nobody"),
        ("MAIL_FROM", "calls@"),
        ("TRUSTED_PROXIES", "-1"),
        ("PUBLIC_URL", "http://advisory.example"),
        ("PUBLIC_URL", "advisory.example"),
        ("LOG_LEVEL", "DEBUG"),
        ("LIMIT_POSTS", "many"),
    ],
)
def test_a_wrong_value_is_named(name, value):
    said = faults(PRODUCTION | {name: value})
    assert name in said or "DEBUG" in said


def test_a_fault_never_repeats_a_secret():
    assert "hunter2" not in faults(PRODUCTION | {"SECRET_KEY": "hunter2"})


@pytest.mark.parametrize("name", ["SECRETKEY", "SENDGRID_APIKEY", "SALES_T0", "DATABASE_URI"])
def test_a_misspelled_name_is_refused_not_ignored(name):
    assert name in faults(PRODUCTION | {name: "x"})
