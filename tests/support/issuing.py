"""An issuer of tokens (JWT), and its keys."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from tests.support.http_servers import QuietHandler, http_server

ISSUER, AUDIENCE = "https://issuer.test", "stuff"


class Issuer:
    """Makes tokens, and serves the keys to check them over HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.fetches = 0
        self.is_away = False
        self.is_asked, self.may_answer = Event(), Event()
        self.may_answer.set()
        self.keys: dict[str, RSAPrivateKey] = {}
        self.others: list[Any] = []
        self.rotate("first")

    def rotate(self, id: str) -> None:
        self.keys = {id: generate_private_key(65537, 2048)}

    def key_set(self) -> bytes:
        entries = [
            RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": id, "use": "sig"}
            for id, key in self.keys.items()
        ]
        return json.dumps({"keys": entries + self.others}).encode()

    def token(
        self,
        *,
        key: Any = None,
        headers: dict[str, Any] | None = None,
        alg: str = "RS256",
        **more: Any,
    ) -> str:
        [(id, own)] = self.keys.items()
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "exp": time.time() + 60,
            "scope": "openid read write",
        } | more
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, own if key is None else key, alg, headers or {"kid": id})


@contextmanager
def serving_issuer() -> Iterator[Issuer]:
    """An issuer, which serves its keys on the loopback interface."""

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            known.fetches += 1
            known.is_asked.set()
            known.may_answer.wait()
            self.send_response(503 if known.is_away else 200)
            self.end_headers()
            self.wfile.write(known.key_set())

    with http_server(Handler) as port:
        known = Issuer(f"http://127.0.0.1:{port}/keys")
        try:
            yield known
        finally:
            known.may_answer.set()
