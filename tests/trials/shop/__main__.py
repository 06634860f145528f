"""A typed client of a database that another program owns, while that program goes on writing.

    python -m tests.trials.shop

The database is built with the driver alone (`tests/support/shop.py`). `stuff introspect` describes
it, `stuff serve` serves what that wrote, a client is generated, checked by mypy, and lives through
a story (`story.py`): read, page, create, replace on condition, be refused, patch, delete.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from service.security import make_key
from service.server.engine import EmbeddedEngine
from tests.support.serving import stuff, stuff_serve
from tests.support.shop import build
from tests.support.shopkeeping import shopkeeping
from tests.trials.clients.generators import TOOLS, generate, run

HERE = Path(__file__).parent


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        at = Path(scratch)
        engine = EmbeddedEngine(at / "data")
        try:
            serve(at, engine.start())
        finally:
            engine.stop()


def serve(at: Path, uri: str) -> None:
    file = at / "collections.json"
    token, key = make_key(["read:orders", "write:orders"])
    database: dict[str, Any] = {"STUFF_MONGODB_URI": uri, "STUFF_DATABASE": "shop"}
    with MongoClient[dict[str, Any]](uri) as mongo:
        build(mongo.shop)
        introspected = stuff("introspect", "--output", str(file), **database)
        assert introspected.returncode == 0, introspected.stderr
        written = stuff("openapi", "--collections", str(file), str(at / "openapi.json"))
        assert written.returncode == 0, written.stderr
        generate(TOOLS / "openapi-python-client", "generate", "--path", "openapi.json", at=at)
        [package] = at.glob("*/stuff_client")
        shutil.copy(HERE / "story.py", package.parent)
        run(TOOLS / "mypy", "--strict", "story.py", at=package.parent)
        database |= {"STUFF_COLLECTIONS": str(file), "STUFF_API_KEYS": str(key)}
        with (
            stuff_serve(at / "none", **database) as service,
            shopkeeping(mongo.shop) as program,
        ):
            program.until_rounds(1)
            command = (TOOLS / "python", "-W", "error", "story.py")
            run(*command, at=package.parent, STUFF_URL=service.base_url, STUFF_KEY=token)
            told = program.rounds
            program.until_rounds(told + 1)
    print(f"The story holds, while another program wrote {told} orders.")


if __name__ == "__main__":
    main()
