"""Tokens: only those of the issuer, for this audience, in time; its keys are kept and rotated."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import anyio.to_thread
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as make_ec_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from httpx import AsyncClient
from jwt.algorithms import ECAlgorithm

from service.errors import ConfigurationError
from service.security import make_key
from service.settings import Settings
from tests.support.applications import Application
from tests.support.commands import stuff_here
from tests.support.issuing import AUDIENCE, ISSUER, Issuer, serving_issuer


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with serving_issuer() as issuer:
        yield issuer


@pytest.fixture
def trusting(issuer: Issuer) -> dict[str, Any]:
    return {"jwt_jwks_url": issuer.url, "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE}


async def read(client: AsyncClient, token: str) -> int:
    response = await client.get("/stuff", headers={"Authorization": f"Bearer {token}"})
    return response.status_code


async def test_a_token_allows_what_its_scopes_say(
    application: Application, issuer: Issuer, trusting: dict[str, Any]
) -> None:
    async with application(**trusting) as client:

        async def opens(**claims: Any) -> tuple[int, int]:
            headers = {"Authorization": f"Bearer {issuer.token(**claims)}"}
            put = await client.put("/stuff/a", json={}, headers=headers)
            return (await client.get("/stuff", headers=headers)).status_code, put.status_code

        assert await opens() == (200, 201)
        assert await opens(scope="read") == (200, 403)
        assert await opens(scope=["write"]) == (403, 200)
        assert await opens(scope=None, scp=["read", "write"]) == (200, 200)
        assert await opens(scope=None) == (403, 403)
        assert await opens(scope="reader writer") == (403, 403)
        assert await opens(scope={"read": True}) == (403, 403)
        assert (await client.get("/stuff")).status_code == 401
    assert issuer.fetches == 1
    async with application(**trusting, jwt_scope_prefix="stuff:") as client:
        assert await read(client, issuer.token()) == 403
        assert await read(client, issuer.token(scope="stuff:read")) == 200


BAD: list[Callable[[Issuer], str] | str] = [
    lambda issuer: issuer.token(iss="https://other.test"),
    lambda issuer: issuer.token(iss=None),
    lambda issuer: issuer.token(aud="other"),
    lambda issuer: issuer.token(aud=None),
    lambda issuer: issuer.token(exp=time.time() - 60),
    lambda issuer: issuer.token(exp=None),
    lambda issuer: issuer.token(nbf=time.time() + 60),
    lambda issuer: issuer.token(key=generate_private_key(65537, 2048)),
    lambda issuer: issuer.token(alg="RS512"),
    lambda issuer: issuer.token(alg="none", key=""),
    lambda issuer: issuer.token(alg="HS256", key="0" * 64),
    lambda issuer: issuer.token(headers={"kid": "unknown"}),
    lambda issuer: issuer.token(headers={"kid": "first", "jwk": {"kty": "oct", "k": "AA"}})[:-9],
    lambda issuer: issuer.token()[:-3] + "AAA",
    lambda issuer: issuer.token(long="x" * 20_000),
    "a.b.c",
    "..",
    "ä",
]


@pytest.mark.parametrize("bad", BAD)
async def test_an_invalid_token_allows_nothing(
    application: Application,
    issuer: Issuer,
    trusting: dict[str, Any],
    bad: Callable[[Issuer], str] | str,
) -> None:
    token = bad if isinstance(bad, str) else bad(issuer)
    async with application(**trusting) as client:
        headers = {b"Authorization": b"Bearer " + token.encode()}
        response = await client.get("/stuff", headers=headers)
        assert response.status_code == 401
        assert 'error="invalid_token"' in response.headers["www-authenticate"]
        assert token not in response.text


async def test_keys_are_rotated_and_unknown_ones_cause_few_fetches(
    application: Application,
    issuer: Issuer,
    trusting: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with application(**trusting) as client:
        old = issuer.token()
        assert await read(client, old) == 200
        issuer.rotate("second")
        assert await read(client, issuer.token()) == 401  # it was asked a moment ago
        for _ in range(20):
            assert await read(client, issuer.token(headers={"kid": "unknown"})) == 401
        assert issuer.fetches == 1
        monkeypatch.setattr("service.security.key_sets.COOLDOWN", 0)
        assert await read(client, issuer.token()) == 200
        assert await read(client, old) == 401


async def test_when_the_issuer_is_away_its_keys_stay_in_use_for_a_time(
    application: Application,
    issuer: Issuer,
    trusting: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service.security.key_sets.COOLDOWN", 0)
    issuer.is_away = True
    async with application(**trusting) as client:
        response = await client.get("/stuff", headers={"Authorization": f"Bearer {issuer.token()}"})
        assert response.status_code == 503
        assert response.json()["type"] == "/problems/token-keys-unavailable"
        assert response.headers["retry-after"] == "5"
        issuer.is_away = False
        assert await read(client, issuer.token()) == 200
        issuer.is_away = True
        monkeypatch.setattr("service.security.key_sets.FRESH", 0)
        assert await read(client, issuer.token()) == 200
        monkeypatch.setattr("service.security.key_sets.STALE", 0)
        assert await read(client, issuer.token()) == 503


async def test_while_the_issuer_hangs_tokens_with_known_keys_do_not_wait(
    application: Application,
    issuer: Issuer,
    trusting: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service.security.key_sets.FETCH_TIMEOUT", 600)
    monkeypatch.setattr("service.security.key_sets.COOLDOWN", 0)
    async with application(**trusting) as client:
        assert await read(client, issuer.token()) == 200
        monkeypatch.setattr("service.security.key_sets.FRESH", 0)
        issuer.is_asked.clear()
        issuer.may_answer.clear()
        for _ in range(3):
            assert await read(client, issuer.token()) == 200
        await anyio.to_thread.run_sync(issuer.is_asked.wait)
        assert await read(client, issuer.token()) == 200
        assert issuer.fetches == 2  # one refresh for all
    # The application stops although the issuer still hangs.


async def test_other_algorithms_are_accepted_if_configured_and_odd_keys_are_ignored(
    application: Application, issuer: Issuer, trusting: dict[str, Any]
) -> None:
    key = make_ec_key(SECP256R1())
    issuer.others = [
        ECAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": "ec"},
        {"kty": "oct", "kid": "shared", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"},
        {"kty": "nonsense"},
        7,
    ]
    token = issuer.token(key=key, alg="ES256", headers={"kid": "ec"})
    async with application(**trusting) as client:
        assert await read(client, token) == 200
        shared = issuer.token(key="secret" * 6, alg="HS256", headers={"kid": "shared"})
        assert await read(client, shared) == 401
    async with application(**trusting, jwt_algorithms="RS256") as client:
        assert await read(client, token) == 401


@pytest.mark.parametrize(
    ("purpose", "status"),
    [
        ({}, 200),
        ({"use": "sig"}, 200),
        ({"key_ops": ["verify"]}, 200),
        ({"key_ops": ["sign", "verify"], "use": "sig"}, 200),
        ({"use": "enc"}, 401),
        ({"key_ops": ["encrypt", "wrapKey"]}, 401),
        ({"key_ops": []}, 401),
        ({"key_ops": ["sign"]}, 401),
        ({"key_ops": "verify"}, 401),
        ({"key_ops": {"verify": 1}}, 401),
        ({"key_ops": ["verify"], "use": "enc"}, 401),
    ],
    ids=str,
)
async def test_a_key_for_another_purpose_verifies_no_signature(
    application: Application,
    issuer: Issuer,
    trusting: dict[str, Any],
    purpose: dict[str, Any],
    status: int,
) -> None:
    key = make_ec_key(SECP256R1())
    published: dict[str, Any] = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    issuer.others = [published | {"kid": "ec"} | purpose]
    async with application(**trusting) as client:
        token = issuer.token(key=key, alg="ES256", headers={"kid": "ec"})
        assert await read(client, token) == status


async def test_keys_and_tokens_work_side_by_side(
    application: Application, issuer: Issuer, trusting: dict[str, Any]
) -> None:
    secret, key = make_key(["read"])
    async with application(**trusting, api_keys=str(key)) as client:
        assert await read(client, secret) == 200
        assert await read(client, issuer.token()) == 200


@pytest.mark.parametrize(
    "settings",
    [
        {"jwt_jwks_url": "https://a.test/keys"},
        {"jwt_issuer": ISSUER, "jwt_audience": AUDIENCE},
        {"jwt_jwks_url": "http://a.test/k", "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE},
        {"jwt_algorithms": "HS256"},
        {"jwt_algorithms": "none"},
        {"jwt_algorithms": "RS256,HS256"},
    ],
)
def test_unsafe_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Settings(**settings)


def test_an_incomplete_configuration_is_refused() -> None:
    refused = stuff_here("serve", STUFF_JWT_ISSUER=ISSUER)
    assert refused.returncode == 2
    assert "STUFF_JWT_JWKS_URL" in refused.stderr
    assert "Traceback" not in refused.stderr
