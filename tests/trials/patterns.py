"""Patterns that nobody thought of: `python -m tests.trials.patterns [--patterns N] [--seed N]`.

Random patterns that the embedded engine would get, matched by Python's `re`, as that engine does,
with texts that they like least: each must end within the processor time of one pass.
"""

import argparse
import random
import re
import signal
import sys
import time
import warnings
from collections import Counter

from service.documents.query.patterns import explain_danger
from service.documents.query.steps import MAX_STEPS, TooManySteps, steps

SIZE = 20_000  # characters
STEP = 0.1e-6  # seconds, more than on any machine
LIMIT = 0.05 + SIZE * MAX_STEPS * STEP  # seconds of processor time
ATOMS = ["a", "a", "a", "b", ".", "[ab]", "[^b]", r"\w", r"\s", r"\b", "^", "$", "c", r"\n", r"\A"]
REPEATS = [
    "*", "+", "?", "*?", "+?", "??", "{2}", "{0,3}", "{2,9}", "{3,}", "{,4}", "{1,40}?", "{0}",
    "{0,0}", "{}", "{,\u0664}",
]  # fmt: skip
TEXTS = ["a" * SIZE, "ab" * (SIZE // 2), "a\n" * (SIZE // 2), "aaaaaaab" * (SIZE // 8), "c" * SIZE]


def pattern(chance: random.Random, depth: int = 3) -> str:
    """A pattern, often a dangerous one."""
    branches = []
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        parts = [part(chance, depth) for _ in range(chance.randint(0, 5))]
        branches.append(chance.choice(["", "", "^"]) + "".join(parts))
    return "|".join(branches)


def part(chance: random.Random, depth: int) -> str:
    if depth and chance.random() < 0.25:
        atom = f"{chance.choice(['(', '(?:'])}{pattern(chance, depth - 1)})"
    else:
        atom = chance.choice(ATOMS)
    return atom + (chance.choice(REPEATS) if chance.random() < 0.45 else "")


def is_allowed(pattern: str, options: str) -> bool:
    try:
        return explain_danger(pattern) is None and steps(pattern, options) <= MAX_STEPS
    except TooManySteps:
        return False


def compiled(pattern: str, options: str) -> re.Pattern[str] | None:
    """The pattern as the embedded engine would match it; None if it is malformed."""
    flags = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
    try:
        return re.compile(pattern, sum(flags[option] for option in options))
    except re.error:
        return None


def interrupt(*_: object) -> None:
    raise TimeoutError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--patterns", type=int, default=3000, help="how many are allowed and tried")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    warnings.simplefilter("ignore")
    chance = random.Random(options.seed)
    signal.signal(signal.SIGVTALRM, interrupt)
    seen: Counter[str] = Counter()
    slowest = 0.0
    faults = []
    while seen["allowed"] < options.patterns:
        case, flags = pattern(chance), chance.choice(["", "", "i", "m", "s", "ms"])
        expression = compiled(case, flags)
        if expression is None or not case:
            continue
        if not is_allowed(case, flags):
            seen["refused"] += 1
            continue
        seen["allowed"] += 1
        for text in TEXTS:
            start = time.process_time()
            signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT)
            try:
                expression.search(text)
            except TimeoutError:
                faults.append(f"{case!r} with {flags!r} takes more than {LIMIT:.2f} s")
                break
            finally:
                signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            slowest = max(slowest, time.process_time() - start)
    for fault in faults[:20]:
        print(fault)
    print(f"{seen['allowed']} allowed, {seen['refused']} refused; the slowest took {slowest:.3f} s")
    print(f"{seen['allowed'] - len(faults)} passed, {len(faults)} failed")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
