"""Files that are imported and exported: arrays, compression, links."""

import gzip
import json
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.client.errors import FileError
from service.client.files import DocumentFile, _elements, target
from tests.support.patience import TIMEOUT

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(
    values=st.lists(JSON, max_size=8),
    indent=st.sampled_from([None, 0, 3]),
    escaped=st.booleans(),
    size=st.integers(1, 40),
)
def test_an_array_is_split_into_its_elements_wherever_it_is_cut(
    values: list[Any], indent: int | None, escaped: bool, size: int
) -> None:
    text = json.dumps(values, indent=indent, ensure_ascii=escaped).encode()
    chunks = iter([text[start : start + size] for start in range(0, len(text), size)])
    elements = list(_elements(chunks))
    assert all(b"\n" not in element for element in elements)
    assert [json.loads(element) for element in elements] == values


@pytest.mark.parametrize("text", [b"[", b"[1", b'["a]', b"[1,", b'[{"a": [1]', b"[1] 2", b"[1][2]"])
def test_a_damaged_array_is_a_fault(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "array.json"
    file.write_bytes(text)
    with pytest.raises(FileError):
        list(DocumentFile(file).records())


def test_a_fault_inside_a_string_is_not_repaired(tmp_path: Path) -> None:
    file = tmp_path / "array.json"
    file.write_bytes(b'[{"a": "b\nc"}, {"a":\n1}, , 3,]')
    records = [record for _, record in DocumentFile(file).records()]
    for record in (records[0], records[2], records[4]):
        with pytest.raises(ValueError, match=r".*"):
            json.loads(record)
    assert json.loads(records[1]) == {"a": 1}
    assert len(records) == 5


def test_files_named_gz_are_compressed(tmp_path: Path) -> None:
    packed = tmp_path / "documents.ndjson.gz"
    with target(packed) as write:
        write(b'{"a": 1}\n{"a": 2}')
    assert gzip.decompress(packed.read_bytes()) == b'{"a": 1}\n{"a": 2}'
    assert list(DocumentFile(packed).records()) == [(1, b'{"a": 1}'), (2, b'{"a": 2}')]
    packed.write_bytes(packed.read_bytes()[:-4])
    with pytest.raises(FileError):
        list(DocumentFile(packed).records())


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    file = tmp_path / "documents.ndjson"
    file.write_bytes(b"before")
    with suppress(RuntimeError), target(file) as write:
        write(b"after")
        assert file.read_bytes() == b"before"
        raise RuntimeError
    assert file.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [file]


def test_links_are_followed_and_devices_stay(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    link.symlink_to(file)
    with target(link) as write:
        write(b"{}")
    assert link.is_symlink()
    assert file.read_bytes() == b"{}"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[bytes] = []
    reading = threading.Thread(target=lambda: received.append(pipe.read_bytes()), daemon=True)
    reading.start()
    with target(pipe) as write:
        write(b"{}")
    reading.join(TIMEOUT)
    assert received == [b"{}"]
    assert pipe.is_fifo()
