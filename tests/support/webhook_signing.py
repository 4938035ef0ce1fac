"""The provider's half of the signed events: a key pair, and requests signed with it."""

import base64
import json
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lead_service.web.webhooks import SIGNATURE, TIMESTAMP

SENT_AT = "1790000000"


def as_text(private: Any) -> str:
    """Return the public half of a key as the provider shows it."""
    public = private.public_key()
    return base64.b64encode(
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).decode()


_private = ec.generate_private_key(ec.SECP256R1())
PUBLIC_KEY = as_text(_private)


def sign(body: bytes, timestamp: str = SENT_AT) -> dict[str, str]:
    """Return the headers that make `body` the provider's."""
    signature = _private.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    return {SIGNATURE: base64.b64encode(signature).decode(), TIMESTAMP: timestamp}


def post(client, told: Any, **changed: Any):
    """Post a list of events as the provider does: signed, and from no page of ours."""
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    headers = sign(body) | {"Sec-Fetch-Site": None} | changed.pop("headers", {})
    return client.post("/hooks/sendgrid", data=body, headers=headers, **changed)
