"""JSON that cannot be given back unchanged is refused, at a cost that its bytes justify."""

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.documents import strict_json
from service.documents.json_faults import MAX_SEARCHED
from service.errors import InvalidDocument, MalformedJSON
from tests.support.patience import patient

MIB = 1024 * 1024
# What costs most: many tokens, containers, keys, escapes, and what looks like a fault and is none.
TOKENS = [
    b"1,", b"{},", b"[1],", b'{"":1},', b'"",', b'"\\"\\\\",', b"9223372036854775807,",
    b'"\\u0000",', b'{"":1,"a":1},', b'{"":":"},', b'{"" :1},', b'{"":"\\":"},', b'"]}",',
    b'"12345678901234567890",', b"0.12345678901234567890,", b"[" * 90 + b"]" * 90 + b",",
]  # fmt: skip
ENDS = {
    "truncated": b"",
    "valid": b"1]",
    "large integer": b"9223372036854775808]",
    "repeated key": b'{"a":1,"b":2,"a":1}]',
    "NUL in a key": b'{"\\u0000":1}]',
    "deep": b"[" * 105 + b"]" * 105 + b"]",
    "too deep for the parser": b"[" * 1050 + b"]" * 1050 + b"]",
    "too large for a float": b"1" + b"0" * 400 + b"]",
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("token", TOKENS)
def test_a_hostile_body_costs_what_its_bytes_justify(token: bytes, end: bytes) -> None:
    """A reader that goes token by token in Python takes 1 to 4 seconds for these."""
    text = b"[" + token * (MIB // len(token)) + end
    start = time.process_time()
    try:
        strict_json.loads(text)
    except (MalformedJSON, InvalidDocument):
        assert end != ENDS["valid"]
    else:
        assert end == ENDS["valid"]
    # The budget is 90 ms on an idle core; the machines that run this are shared.
    assert time.process_time() - start < patient(0.9)


keys = st.sampled_from(
    ['"a"', '"b"', '"\\u0061"', '""', '":"', '"\\":"', '"\\u0022:"', '"\\\\"', '"]}"', '"n\\u0000"',
     '"\\\\u0000"', '"x\\u003a"', '"é"']
)  # fmt: skip
scalars = st.sampled_from(
    ["1", "-1", "null", "true", '"x"', "1e5", "9223372036854775807", "-9223372036854775808",
     "9223372036854775808", "-9223372036854775809", "18446744073709551616", "1" + "0" * 400,
     "18446744073709551616.5", '"12345678901234567890"', '": "', '"\\":"', '"\\u0022:"', '":"',
     '"\\u0000"', '"\\\\"', '"[{\\""', '"]}"', "{}", "[]"]
)  # fmt: skip
spaces = st.sampled_from(["", "", " ", "\n"])
texts = st.recursive(
    scalars,
    lambda inner: (
        st.builds(
            lambda items, space: "[" + space + f"{space},".join(items) + space + "]",
            st.lists(inner, max_size=4),
            spaces,
        )
        | st.builds(
            lambda items, space: (
                "{"
                + f",{space}".join(f"{key}{space}:{value}" for key, value in items)
                + space
                + "}"
            ),
            st.lists(st.tuples(keys, inner), max_size=4),
            spaces,
        )
    ),
    max_leaves=20,
)
deep_texts = st.builds(
    lambda text, levels: '{"a":[1,' * levels + text + "]}" * levels, texts, st.integers(44, 56)
)


def faults(value: Any, path: str = "", depth: int = 1) -> set[str]:
    """The pointers of all faults of a JSON value, whose objects are tuples of pairs."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return {path}
    if not isinstance(value, list | tuple):
        return set()
    if depth > 100:
        return {path}
    found: set[str] = set()
    seen: set[str] = set()
    members = value if isinstance(value, tuple) else [(str(n), v) for n, v in enumerate(value)]
    for key, child in members:
        place = f"{path}/{key}"
        if key in seen or "\0" in key:
            found.add(place)
        seen.add(key)
        found |= faults(child, place, depth + 1)
    return found


@given(texts | deep_texts)
@settings(max_examples=500)
def test_exactly_what_cannot_be_returned_unchanged_is_refused_with_a_pointer(text: str) -> None:
    expected = faults(json.loads(text, object_pairs_hook=tuple))
    if expected:
        with pytest.raises(InvalidDocument) as refused:
            strict_json.loads(text.encode())
        assert refused.value.members["pointer"] in expected
    else:
        assert strict_json.loads(text.encode()) == json.loads(text)


@pytest.mark.parametrize("place", range(19))
@pytest.mark.parametrize("digit", [-1, 1])
@pytest.mark.parametrize("sign", [-1, 1])
def test_each_digit_of_an_integer_counts(place: int, digit: int, sign: int) -> None:
    number = sign * (2**63 - 1 + digit * 10**place)
    if -(2**63) <= number < 2**63:
        assert strict_json.loads(b"[1,%d]" % number) == [1, number]
    else:
        with pytest.raises(InvalidDocument) as refused:
            strict_json.loads(b"[1,%d]" % number)
        assert refused.value.members["pointer"] == "/1"


def test_in_a_large_body_the_place_is_a_byte() -> None:
    start = b'{"text":"%s","a":' % (b"x" * MAX_SEARCHED)
    with pytest.raises(InvalidDocument, match=f"byte {len(start):,}") as refused:
        strict_json.loads(start + b"9223372036854775808}")
    assert refused.value.members["pointer"] == ""
    with pytest.raises(InvalidDocument, match="twice"):
        strict_json.loads(start + b'1,"a":2}')
