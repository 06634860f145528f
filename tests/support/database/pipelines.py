"""Orders, projections and aggregation pipelines that MongoDB accepts."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.database.fields import CHANGE_STREAM, check_fields
from tests.support.database.refusals import BAD_VALUE, INVALID_OPTIONS, Refusal

# https://www.mongodb.com/docs/manual/reference/mql/aggregation-stages/
STAGES = {
    "$addFields", "$bucket", "$bucketAuto", "$changeStream", "$collStats", "$count", "$facet",
    "$graphLookup", "$group", "$indexStats", "$limit", "$lookup", "$match", "$merge", "$out",
    "$project", "$redact", "$replaceRoot", "$replaceWith", "$sample", "$set", "$skip", "$sort",
    "$sortByCount", "$unionWith", "$unset", "$unwind",
}  # fmt: skip
# https://www.mongodb.com/docs/manual/changeStreams/#modify-change-stream-output
CHANGE_STREAM_STAGES = {
    "$addFields", "$match", "$project", "$redact", "$replaceRoot", "$replaceWith", "$set", "$unset",
}  # fmt: skip
FULL_DOCUMENT = {"default", "updateLookup", "whenAvailable", "required"}
MAX_DEPTH = 200  # fields in a path
MAX_SORT_KEYS = 32  # https://www.mongodb.com/docs/manual/reference/method/cursor.sort/#limits


def check_path(path: str) -> None:
    """Raises `Refusal` if this names no field."""
    parts = path.split(".")
    if path.endswith("."):
        raise Refusal(40353, "FieldPath must not end with a '.'.")
    if "" in parts:
        raise Refusal(15998, "FieldPath field names may not be empty strings.")
    if any(part.startswith("$") for part in parts):
        raise Refusal(16410, "FieldPath field names may not start with '$'.")
    if "\0" in path:
        raise Refusal(16411, "FieldPath field names may not contain '\0'.")
    if len(parts) > MAX_DEPTH:
        raise Refusal(15, "FieldPath is too long")  # Overflow


def check_sort(sort: Mapping[str, Any]) -> None:
    """https://www.mongodb.com/docs/manual/reference/command/find/ (sort)"""
    if len(sort) > MAX_SORT_KEYS:
        raise Refusal(13103, "too many compound keys")
    for path, direction in sort.items():
        check_path(path)
        if not isinstance(direction, dict) and direction not in (1, -1):
            raise Refusal(15975, "$sort key ordering must be 1 (for ascending) or -1")


def check_projection(projection: Mapping[str, Any]) -> None:
    """https://www.mongodb.com/docs/manual/reference/command/find/ (projection)"""
    kinds = set()
    for path, value in projection.items():
        check_path(path)
        parts = path.split(".")
        for end in range(1, len(parts)):
            if ".".join(parts[:end]) in projection:
                raise Refusal(31249, f"Path collision at {path}")
        if path != "_id" and isinstance(value, int | float):
            kinds.add(bool(value))
    if len(kinds) > 1:
        raise Refusal(31254, "Cannot mix inclusion and exclusion in a projection")


def check_pipeline(pipeline: Sequence[Mapping[str, Any]]) -> None:
    """Raises `Refusal` for stages that are none, or not in this place."""
    for index, stage in enumerate(pipeline):
        if len(stage) != 1:
            raise Refusal(40323, "A pipeline stage specification object must contain one field")
        [(name, value)] = stage.items()
        if name not in STAGES:
            raise Refusal(40324, f"Unrecognized pipeline stage name: '{name}'")
        if name == "$changeStream" and index > 0:
            raise Refusal(40602, "$changeStream is only valid as the first stage in a pipeline.")
        if name == "$project":
            check_projection(value)
        if name == "$sort":
            check_sort(value)
    if pipeline and "$changeStream" in pipeline[0]:
        _check_change_stream(pipeline[0]["$changeStream"])
        _check_later_stages(pipeline[1:])


def _check_change_stream(stage: Mapping[str, Any]) -> None:
    """https://www.mongodb.com/docs/manual/reference/operator/aggregation/changeStream/"""
    check_fields("$changeStream", stage, CHANGE_STREAM)
    if len(stage.keys() & {"resumeAfter", "startAfter", "startAtOperationTime"}) > 1:
        raise Refusal(
            40674,
            "Only one type of resume option is allowed, but multiple were found.",
        )
    if stage.get("fullDocument", "default") not in FULL_DOCUMENT:
        raise Refusal(BAD_VALUE, "an unknown value of fullDocument")
    for name in ("resumeAfter", "startAfter"):
        token = stage.get(name, {"_data": ""})
        if not isinstance(token.get("_data"), str):
            raise Refusal(40647, "Bad resume token: no _data that is a string")


def _check_later_stages(stages: Sequence[Mapping[str, Any]]) -> None:
    """What follows `$changeStream` must keep the `_id`, which is the resume token."""
    for stage in stages:
        [(name, value)] = stage.items()
        if name not in CHANGE_STREAM_STAGES:
            raise Refusal(INVALID_OPTIONS, f"{name} is not permitted in a $changeStream pipeline")
        removed = (name == "$project" and not value.get("_id", True)) or (
            name == "$unset" and "_id" in ([value] if isinstance(value, str) else value)
        )
        if removed:  # known to the server only when there is an event
            raise Refusal(280, "the resume token was modified by the pipeline")
