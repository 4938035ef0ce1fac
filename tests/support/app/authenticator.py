"""A fake device that creates and uses one passkey, with responses like a browser's."""

import hashlib
import json
import secrets

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import bytes_to_base64url

PRESENT, VERIFIED, NEW_KEY = 0x01, 0x04, 0x40  # flags (WebAuthn, 6.1)


class Authenticator:
    """A device whose responses can be made invalid by setting an attribute."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(32)
        self.user = ""  # base64url
        self.host, self.origin = "localhost", "http://localhost:8000"
        self.verifies = True
        self.count, self.step = 0, 1  # shared passkeys have no counter

    def make(self, options: dict) -> str:
        """Answer `navigator.credentials.create` with a new passkey, without attestation."""
        self.user = options["user"]["id"]
        point = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (point.x, point.y))
        key = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})  # COSE: EC2, ES256, P-256
        made = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + key
        data = self._data(NEW_KEY, made)
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options)
        return self._answer(clientDataJSON=client, attestationObject=attestation)

    def sign(self, options: dict) -> str:
        """Answer `navigator.credentials.get`."""
        self.count += self.step
        client, data = self._client("webauthn.get", options), self._data(0)
        signed = data + hashlib.sha256(client).digest()
        signature = self.key.sign(signed, ec.ECDSA(SHA256()))
        return self._answer(clientDataJSON=client, authenticatorData=data, signature=signature)

    def _client(self, kind: str, options: dict) -> bytes:
        told = {"type": kind, "challenge": options["challenge"], "origin": self.origin}
        return json.dumps(told).encode()

    def _data(self, flags: int, more: bytes = b"") -> bytes:
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        host = hashlib.sha256(self.host.encode()).digest()
        return host + bytes([flags]) + self.count.to_bytes(4, "big") + more

    def _answer(self, **parts: bytes) -> str:
        id = bytes_to_base64url(self.id)
        response = {name: bytes_to_base64url(part) for name, part in parts.items()}
        response["userHandle"] = self.user
        return json.dumps({"id": id, "rawId": id, "type": "public-key", "response": response})
