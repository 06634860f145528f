"""A service whose database fails, hangs, or is killed while it hangs."""

import random
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from service.server.engine import find_running
from tests.support.failing import FailingEngine, allow_test_commands
from tests.support.patience import patient
from tests.trials.crash.victim import Victim

LIMIT = patient(0.5)  # seconds: STUFF_OPERATION_TIMEOUT
LONGEST = 4 * LIMIT  # seconds that a command is blocked
WRITES = ["update", "findAndModify", "insert", "delete"]
FAILURES: list[dict[str, Any]] = [
    {"errorCode": 91},  # ShutdownInProgress
    {"errorCode": 112},  # WriteConflict
    {"errorCode": 189},  # PrimarySteppedDown
    {"errorCode": 262},  # ExceededTimeLimit
    {"errorCode": 10107},  # NotWritablePrimary
    {"errorCode": 11600},  # InterruptedAtShutdown
    {"closeConnection": True},
    {"writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"}},
]


class FailingVictim(Victim):
    """One process, so that a write that was given up must not undo a later one."""

    kinds = ("a write blocked", "batches hung", "commands failed", "the engine killed in a block")
    workers = 1
    going_on = (1.5 * LIMIT, LONGEST + LIMIT)

    def __init__(self, data_dir: Path, stack: ExitStack) -> None:
        home = data_dir.parent / "home"
        limit = {"STUFF_OPERATION_TIMEOUT": str(LIMIT)}
        super().__init__(data_dir, stack, **allow_test_commands(home), **limit)
        uri = find_running(data_dir)
        assert uri is not None
        self._engine = FailingEngine(stack.enter_context(MongoClient[dict[str, Any]](uri)), uri)

    def harm(self, kind: str, chance: random.Random) -> None:
        seconds = chance.uniform(1.5 * LIMIT, LONGEST)
        match kind:
            case "a write blocked":
                self._engine.block(seconds, WRITES, chance.randint(1, 2))
            case "batches hung":
                self._engine.block(seconds, ["find", *WRITES], chance.randint(4, 12))
            case "commands failed":
                commands = chance.choice([WRITES, ["find", *WRITES]])
                self._engine.fail(commands, chance.randint(10, 40), **chance.choice(FAILURES))
            case _:
                self._engine.block(seconds, WRITES, chance.randint(1, 4))
                time.sleep(chance.uniform(0, seconds))
                self.kill_engine()

    def heal(self) -> None:
        self._engine.stop_failing()
        time.sleep(LONGEST + LIMIT)  # whatever is blocked has landed
