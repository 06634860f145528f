"""Which of two places in the history comes first."""

import bson
import pytest
from bson import Timestamp

from service.errors import InvalidParameter
from service.store.feed import Position, parse_position
from service.store.feed.positions import MAX_POSITION
from tests.support.database.tokens import event_token, high_water_mark

TIME = Timestamp(1_700_000_000, 5)
LATER = Timestamp(1_700_000_000, 6)


def secantus(number: int, time: Timestamp = TIME, id: str = "a") -> str:
    return bson.encode({"s": number, "t": time, "n": "demo.stuff", "k": {"_id": id}}).hex()


@pytest.mark.parametrize(
    "tokens",
    [
        [
            high_water_mark(TIME),
            event_token(TIME, "b", "insert", 0),
            event_token(TIME, "a", "insert", 1),
            event_token(TIME, "a", "insert", 12),
            high_water_mark(LATER),
            event_token(LATER, "a", "insert"),
        ],
        # Not in the order of their texts: the number is an integer of little-endian bytes.
        [secantus(255), secantus(256), secantus(257, LATER, "longer"), secantus(2**40, LATER)],
    ],
)
def test_tokens_of_one_kind_have_an_order(tokens: list[str]) -> None:
    # The times say nothing.
    places = [Position(len(tokens) - n, token) for n, token in enumerate(tokens)]
    for index, place in enumerate(places):
        assert [place.reaches(other) for other in places] == [
            other <= index for other in range(len(places))
        ]


def test_the_engine_gives_one_place_several_tokens() -> None:
    one, other = (Position(0, secantus(7, time)) for time in (TIME, LATER))
    assert one.reaches(other)
    assert other.reaches(one)


def test_tokens_of_unknown_kinds_can_only_be_the_same() -> None:
    tokens = ["01", "02", "82", bson.encode({"x": 1}).hex(), high_water_mark(TIME), secantus(1)]
    for token in tokens:
        for other in tokens:
            assert Position(1, token).reaches(Position(2, other)) == (token == other)


def test_a_position_is_read_as_it_was_written() -> None:
    for position in (Position(0, high_water_mark(TIME)), Position(2**63, secantus(3))):
        assert parse_position(str(position)) == position
    longest = f"{0:016x}.".ljust(MAX_POSITION, "8")
    assert str(parse_position(longest)) == longest
    for text in (
        longest + "8",
        "",
        "x",
        "1.2",
        f"{0:016x}.",
        f"{0:016x}.zz",
        f"{0:015x}.82",
        f"{0:016x}.82\n",
    ):
        with pytest.raises(InvalidParameter):
            parse_position(text)
