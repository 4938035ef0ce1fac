"""The scan for secrets finds each kind of them, and nothing in this checkout."""

import secrets
import string

import pytest

from tests.support.secret_scan import checked_in, found_in

LETTERS = string.ascii_letters.translate(str.maketrans("", "", "testTEST"))  # no words by chance


def drawn(count: int, letters: str = LETTERS) -> str:
    return "".join(secrets.choice(letters) for _ in range(count))


PLANTED = {
    "SendGrid": lambda: f"SG.{drawn(22)}.{drawn(43)}",
    "private key": lambda: "-----BEGIN " + "PRIVATE KEY-----",
    "AWS": lambda: "AKIA" + drawn(16, "ABCDFGHIJKLMNOPQRUVWXYZ"),
    "GitHub": lambda: "ghp_" + drawn(36),
    "address": lambda: f"postgresql://ann:{drawn(12)}7@db/x",
    "named": lambda: f'SECRET_KEY = "{drawn(40)}"',
}


@pytest.mark.parametrize("kind", PLANTED)
def test_planted_secrets_are_found_with_their_line(kind):
    assert [line for line, _ in found_in(f"one\ntwo {PLANTED[kind]()}\n")][:1] == [2]


def test_secrets_for_tests_are_ignored():
    assert list(found_in('SECRET_KEY = "of-the-tests-0123456789-abcdefghij"')) == []


def test_nothing_secret_is_checked_in():
    found = [
        (path.name, line, kind)
        for path in checked_in()
        for line, kind in found_in(path.read_text("utf-8", errors="replace"))
    ]
    assert found == []
