"""Make unguessable tokens, and the hashes of which alone the database keeps."""

import hashlib
import hmac
import secrets


def new_token() -> str:
    """Make an unguessable token of 256 random bits, safe in an address."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return what is stored of a token, so that a stolen database opens nothing."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def derived_token(secret: str, purpose: str, text: str) -> str:
    """Return the token of `purpose` that belongs to `text`: the same one each time it is asked."""
    return hmac.new(secret.encode(), f"{purpose}:{text}".encode(), hashlib.sha256).hexdigest()
