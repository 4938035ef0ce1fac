"""Settings: typed, checked at start, with a message for each fault."""

import base64
import random
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from lead_service.settings import SettingsError, load, load_for_site
from tests.support.webhook_signing import PUBLIC_KEY, as_text

PRODUCTION = {
    "PUBLIC_URL": "https://advisory.example",
    "SECRET_KEY": "only these tests are signed with this",
    "DATABASE_URL": "postgresql://db/advisory",
    "SENDGRID_API_KEY": "SG.key",
    "MAIL_FROM": "calls@advisory.example.com",
    "SALES_TO": "ann@example.com, ben@example.com",
    "PRACTICE_LEGAL_NAME": "Advisory Ltd",
    "PRACTICE_POSTAL_ADDRESS": "1 Street, Town",
    "PRACTICE_EMAIL": "hello@example.com",
}
OTHER_KIND = as_text(ed25519.Ed25519PrivateKey.generate())  # a key of another kind


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


def test_each_member_of_the_team_gets_emails_once_and_in_order():
    given = PRODUCTION | {"SALES_TO": "sales@a.example,boss@a.example,Sales@a.example"}
    assert load(given).sales_to == ("sales@a.example", "boss@a.example")


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
        ("SECRET_KEY", "hunter2"),
        ("SECRET_KEY", "a" * 40),
        ("SECRET_KEY", "Change-It.cHANGE-iT_change-it!chAnge-it"),
        ("SECRET_KEY", "abcdefghijklmnopqrstuvwxyz0123456789"),
        ("SECRET_KEY", "ACTION Advisory ACTION Advisory 2026"),
        ("SECRET_KEY", "12121212121212121212121212121212121212"),
        ("SECRET_KEY", "a-production-password-for-our-website"),
        ("PORT", "eighty"),
        ("DATABASE_URL", "mysql://db"),
        ("SALES_TO", "nobody"),
        ("MAIL_FROM", "calls@"),
        ("TRUSTED_PROXIES", "-1"),
        ("PUBLIC_URL", "http://advisory.example"),
        ("PUBLIC_URL", "advisory.example"),
        ("LOG_LEVEL", "DEBUG"),
        ("FLASK_DEBUG", "1"),
        ("FEEDS_ALLOW_LOOPBACK", "true"),
        ("LIMIT_POSTS", "many"),
        ("PUBLIC_URL", "https://advisory.example/sub/"),
        ("PUBLIC_URL", "https://[broken"),
        ("PUBLIC_URL", "https://\u2026/"),
        ("PUBLIC_URL", "http://[::1]:8000/"),
        ("PUBLIC_URL", "https://advisory.example:port"),
        ("PUBLIC_URL", "https://ann:hunter2@advisory.example"),
        ("DATABASE_URL", "sqlite:foo.db"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite+nosuch:///foo.db"),
        ("DATABASE_URL", "postgresql://ann:hunter2@db:port/advisory"),
        ("SENDGRID_HOST", "http://mail.example.com"),
        ("SENDGRID_WEBHOOK_KEY", "SG.key"),
        pytest.param("SENDGRID_WEBHOOK_KEY", PUBLIC_KEY[:-4], id="cut short"),
        pytest.param("SENDGRID_WEBHOOK_KEY", OTHER_KIND, id="another scheme"),
        ("LIMITS_STORAGE", "redis://"),
        ("LIMITS_STORAGE", "redis://:hunter2@cache:port/0"),
        ("LIMITS_STORAGE", "valkey://cache:6379"),
        ("LIMITS_STORAGE", "memcached://cache:11211"),
        ("SMTP_URL", "http://mail.example.com"),
        ("SMTP_URL", "smtp://:587"),
        ("SMTP_URL", "smtp://ann:hunter2@mail.example.com:port"),
        ("SMTP_URL", "smtp://ann:hunter2#@mail.example.com"),
        ("ALARM_WEBHOOK", "chat.example.com/hunter2"),
        ("ALARM_WEBHOOK", "http://chat.example.com/hunter2"),
        ("ALARM_WEBHOOK_SECRET", "whsec_hunter2"),
        ("WORKERS", "2"),
    ],
)
def test_a_wrong_value_is_named(name, value):
    said = faults(PRODUCTION | {name: value})
    assert said.startswith(f"{name}: ")
    assert len(said.splitlines()) == 1
    assert "hunter2" not in said


@given(st.integers(min_value=0, max_value=2**64), st.sampled_from(["base64", "hex", "short hex"]))
def test_a_random_secret_is_never_called_guessable(seed, kind):
    drawn = random.Random(seed).randbytes(16 if kind == "short hex" else 32)
    text = base64.urlsafe_b64encode(drawn).decode() if kind == "base64" else drawn.hex()
    assert load(PRODUCTION | {"SECRET_KEY": text.rstrip("=")}).secret


def test_all_faults_are_reported_at_once():
    wrong = PRODUCTION | {
        "SALES_T0": "ann@example.com",
        "PORT": "eighty",
        "RETENTION_DAYS": "1",
        "SECRET_KEY": "changeme-changeme-changeme-changeme",
        "WORKERS": "2",
    }
    said = faults({name: wrong[name] for name in wrong if name not in {"SALES_TO", "MAIL_FROM"}})
    assert [line.partition(":")[0] for line in said.splitlines()] == [
        *("SALES_T0", "PORT", "RETENTION_DAYS", "WORKERS", "MAIL_FROM", "SECRET_KEY"),
    ]
    assert "did you mean SALES_TO?" in said


def test_an_address_that_cannot_be_read_still_means_production():
    said = faults({"PUBLIC_URL": "advisory.example"})
    assert "PUBLIC_URL: must be an address" in said and "SECRET_KEY: is missing" in said
    assert len(faults({"PUBLIC_URL": "localhost:8000"}).splitlines()) == 1


def test_an_imprint_names_a_person_where_the_law_asks_for_one():
    missing = "PRACTICE_RESPONSIBLE: is missing"
    assert missing in faults(PRODUCTION | {"PRACTICE_COUNTRY": "DE"})
    assert load(PRODUCTION | {"PRACTICE_COUNTRY": "US"}).has_imprint is False
    load(PRODUCTION | {"PRACTICE_COUNTRY": "CH", "PRACTICE_RESPONSIBLE": "Erika Example"})


def test_an_empty_variable_is_an_unset_one(tmp_path):
    empty = dict.fromkeys(PRODUCTION, "")
    assert load(empty | {"VAR_DIR": str(tmp_path)}).public_url == "http://127.0.0.1:8000/"
    assert load_for_site(empty) == load_for_site({})


def test_the_site_and_the_service_agree_on_where_they_are(tmp_path):
    for where in (
        {},
        {"PORT": "8171"},
        {"BIND_ADDRESS": "::1"},
        {"PUBLIC_URL": "http://localhost"},
    ):
        service = load(where | {"VAR_DIR": str(tmp_path)})
        assert load_for_site(where).public_url == service.public_url
    assert load_for_site(PRODUCTION).public_url == load(PRODUCTION).public_url


def test_the_site_needs_no_secret_and_reports_faults():
    assert load_for_site({"PUBLIC_URL": "https://advisory.example"}).public_url
    with pytest.raises(SettingsError) as error:
        load_for_site({"RETENTION_DAYS": "long", "PRACTICE_NAM": "x", "PORT": "x"})
    assert [line.partition(":")[0] for line in error.value.faults] == [
        *("PRACTICE_NAM", "PORT", "RETENTION_DAYS"),
    ]


def test_a_command_that_only_reads_makes_nothing(tmp_path):
    var = tmp_path / "mistyped" / "var"
    here = {"VAR_DIR": str(var)}
    for wrong in ("VAR_DIR", "SECRET_KEY", "DATABASE_URL"):
        with pytest.raises(SettingsError, match=f"^{wrong}: there is no .*`lead-service migrate`"):
            load(here, create=False)
        if wrong == "VAR_DIR":
            assert list(tmp_path.iterdir()) == []
            var.mkdir(parents=True)
        else:
            load(here)  # creates the secret
    elsewhere = PRODUCTION | {"DATABASE_URL": f"sqlite:///{tmp_path}/none.db"}
    assert load(elsewhere)
    with pytest.raises(SettingsError, match="DATABASE_URL: there is no file"):
        load(elsewhere, create=False)


@pytest.mark.parametrize(
    "given",
    [
        {"WORKERS": "2", "LIMITS_STORAGE": "redis://:secret@cache:6379/0"},
        {"SENDGRID_HOST": "https://api.eu.sendgrid.com"},
        {"DATABASE_URL": "sqlite:////srv/advisory.db"},
        {"DATABASE_URL": "postgresql+psycopg://ann:secret@db:5432/advisory?sslmode=require"},
        {"PUBLIC_URL": "https://advisory.example:8443/"},
        {"SMTP_URL": "smtps://calls%40example.com:secret@mail.example.com"},
        {"SENDGRID_API_KEY": "", "SMTP_URL": "smtp://mail.example.com:2525"},
        {"ALARM_WEBHOOK": "https://chat.example.com/hook?key=a%2Fb"},
        {"ALARM_WEBHOOK_SECRET": "whsec_" + "QUJD" * 8},
        {"SENDGRID_WEBHOOK_KEY": PUBLIC_KEY},
        {"SENDGRID_WEBHOOK_KEY": f"-----BEGIN KEY-----\n{PUBLIC_KEY}\n-----END KEY-----\n"},
    ],
)
def test_valid_production_settings_are_accepted(given):
    assert not load(PRODUCTION | given).is_local


def test_the_local_address_and_site_follow_where_the_program_listens(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    here = {"VAR_DIR": str(tmp_path), "PORT": "8123"}
    assert load(here).public_url == "http://127.0.0.1:8123/"
    assert load(here | {"BIND_ADDRESS": "::1"}).public_url == "http://localhost:8123/"
    assert load(here).site_dir == Path("site")
    built = Path("var/sites/8123")  # by `PORT=8123 make build`
    built.mkdir(parents=True)
    assert load(here).site_dir == built and load(here | {"SITE_DIR": "site"}).site_dir != built


def test_first_starts_at_the_same_time_agree_on_the_secret(tmp_path):
    secrets, together = [], threading.Barrier(8)

    def start() -> None:
        together.wait()
        secrets.append(load({"VAR_DIR": str(tmp_path)}).secret)

    starts = [threading.Thread(target=start) for _ in range(8)]
    for one in starts:
        one.start()
    for one in starts:
        one.join()
    assert len(secrets) == 8
    assert set(secrets) == {(tmp_path / "secret_key").read_text()}
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff" * 5])
def test_a_spoiled_secret_file_is_named_and_left_for_a_person(tmp_path, content):
    file = tmp_path / "secret_key"
    file.write_bytes(content)
    assert str(file) in faults({"VAR_DIR": str(tmp_path)})
    assert file.read_bytes() == content


def test_the_default_folder_is_closed_to_others_even_when_it_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "var").mkdir(mode=0o755)
    load({})
    assert (tmp_path / "var").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["SECRETKEY", "SENDGRID_APIKEY", "SALES_T0", "DATABASE_URI"])
def test_a_misspelled_name_is_refused_not_ignored(name):
    assert name in faults(PRODUCTION | {name: "x"})


@pytest.mark.parametrize(
    ("address", "origin", "host"),
    [
        ("https://Advisory.example:443/", "https://advisory.example", "advisory.example"),
        (
            "https://m\u00fcller.example:8443",
            "https://xn--mller-kva.example:8443",
            "xn--mller-kva.example",
        ),
        ("http://localhost:8000/", "http://localhost:8000", "localhost"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000", ""),
    ],
)
def test_passkeys_belong_to_the_name_of_the_address_as_browsers_write_it(address, origin, host):
    settings = load(PRODUCTION | {"PUBLIC_URL": address})
    assert settings.origin == origin
    assert settings.passkey_host == host
