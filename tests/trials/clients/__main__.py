"""Clients generated from the OpenAPI document of a running service.

    python -m tests.trials.clients [python typescript go java rust php ruby]

The service has collections that are declared with schemas (`library/`), beside `/stuff`. For each
language a client is generated into a directory that is thrown away, compiled, and lives through
two stories against the service:

- documents of any shape: create, get, replace on condition, be refused by a 412 with a typed
  problem, patch, page through the collection, delete (and in Python: commits);
- books, in the types of the language: the same, and a 422 that names each fault, and a patch in
  which null removes a field and what is absent stays.

A warning of a generator is a failure. What the document says of `/stuff` is the same as in
`openapi.json`, which a test of the document checks.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from service.security import make_key
from tests.support.serving import stuff_serve
from tests.trials.clients.languages import HERE, LANGUAGES


def main(names: list[str]) -> None:
    token, key = make_key(["read", "write"])
    settings: dict[str, Any] = {
        "STUFF_API_KEYS": str(key),
        "STUFF_COLLECTIONS": str(HERE / "library" / "collections.json"),
    }
    with tempfile.TemporaryDirectory() as scratch:
        at = Path(scratch)
        with stuff_serve(at / "data", **settings) as service:
            answer = service.http.get("/openapi.json", headers={"Authorization": f"Bearer {token}"})
            answer.raise_for_status()
            document = at / "openapi.json"
            document.write_bytes(answer.content)
            server = {"STUFF_URL": service.base_url, "STUFF_KEY": token}
            for name in names or LANGUAGES:
                started = time.monotonic()
                (at / name).mkdir()
                LANGUAGES[name](document, at / name, server)
                print(f"{name}: the stories hold ({time.monotonic() - started:.0f} s)", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
