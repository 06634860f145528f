"""Files of API keys: they hold hashes, and change line by line."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.security import KeyFault, KeyFile, make_key, parse_keys
from tests.support.commands import stuff_here


def test_only_hashes_are_kept() -> None:
    token, key = make_key(["read"], "Ada's\nlaptop")
    assert token.split("_", 2)[2] not in str(key)
    assert parse_keys(f"{key}\n") == {key.id: key}
    assert key.name == "Ada's laptop"
    assert len({make_key(["read"])[0] for _ in range(100)}) == 100


@pytest.mark.parametrize("line", ["x", "a read x", "a admin " + "0" * 64, "a  " + "0" * 64])
def test_a_malformed_line_is_reported_by_number_and_not_shown(line: str) -> None:
    with pytest.raises(KeyFault, match="Line 2") as fault:
        parse_keys(f"\n{line}")
    assert line not in str(fault.value) or line == "x"


def test_a_key_in_the_place_of_its_line_is_recognised_and_not_shown() -> None:
    token, key = make_key(["read"])
    with pytest.raises(KeyFault, match=r"Line 2 is the key itself.*with its hash") as fault:
        parse_keys(f"{key};{token}")
    assert token not in str(fault.value)


def test_keys_are_made_listed_and_revoked(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    made = stuff_here("key", "create", "--name", "Ada", "--scopes", "read", "--file", str(file))
    token = made.stdout.strip()
    assert token.startswith("stuff_")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert token not in file.read_text()
    other = stuff_here("key", "create", STUFF_API_KEYS_FILE=str(file)).stdout.strip()
    id = token.split("_")[1]
    listed = stuff_here("key", "list", "--file", str(file)).stdout.splitlines()
    assert listed == [f"{id} read Ada", f"{other.split('_')[1]} read,write"]
    revoked = stuff_here("key", "revoke", id, "--file", str(file))
    assert (revoked.returncode, revoked.stdout) == (0, f"revoked {id}\n")
    assert revoked.stderr == f"Removed from {file}.\n"
    assert len(stuff_here("key", "list", "--file", str(file)).stdout.splitlines()) == 1
    unknown = stuff_here("key", "revoke", id, "--file", str(file))
    assert (unknown.returncode, unknown.stderr) == (1, f"stuff: There is no key {id} in {file}.\n")
    missing = stuff_here("key", "list", "--file", str(tmp_path / "none"))
    assert missing.stderr == f"stuff: {tmp_path}/none: No such file or directory\n"
    assert stuff_here("key", "create", "--scopes", "all").returncode == 2
    assert "STUFF_API_KEYS" in stuff_here("key", "create").stderr


def test_a_key_is_added_on_a_line_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    _, first = make_key(["read"], "first")
    file.write_text(f"# keys\n{first}")  # as some editors leave it
    stuff_here("key", "create", "--name", "second", "--file", str(file))
    listed = stuff_here("key", "list", "--file", str(file)).stdout.splitlines()
    assert [line.split()[2] for line in listed] == ["first", "second"]


def test_revoking_keeps_the_mode_the_comments_and_the_link_of_the_file(tmp_path: Path) -> None:
    file, link = tmp_path / "keys", tmp_path / "link"
    keys = [make_key(["read"], f"key {n}")[1] for n in range(3)]
    file.write_text(f"# keys\n\n{keys[0]}\n{keys[1]};{keys[2]}\n")
    file.chmod(0o640)
    link.symlink_to(file)
    planted = tmp_path / "victim"
    planted.write_text("precious")
    (tmp_path / "keys.new").symlink_to(planted)
    assert stuff_here("key", "revoke", keys[1].id, "--file", str(link)).returncode == 0
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert file.read_text() == f"# keys\n\n{keys[0]}\n{keys[2]}\n"
    assert planted.read_text() == "precious"
    assert {path.name for path in tmp_path.iterdir()} == {"keys", "link", "victim", "keys.new"}


def test_concurrent_changes_of_the_file_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    old, new = ([make_key(["read"])[1] for _ in range(20)] for _ in range(2))
    for key in old:
        KeyFile(file).add(key)
    with ThreadPoolExecutor(8) as pool:
        removed = [pool.submit(KeyFile(file).remove, key.id) for key in old]
        added = [pool.submit(KeyFile(file).add, key) for key in new]
        assert all(future.result() for future in removed)
        assert not any(future.result() for future in added)
    assert {key.id for key in KeyFile(file).read()} == {key.id for key in new}


def test_a_name_cannot_add_a_key(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    for name in (f"x;evil read,write {'0' * 64}", ";"):
        refused = stuff_here("key", "create", "--name", name, "--file", str(file))
        assert (refused.returncode, refused.stdout) == (2, "")
        assert "semicolon" in refused.stderr
    name = f"x\nevil read,write {'0' * 64}\x85\u2028"
    assert stuff_here("key", "create", "--name", name, "--file", str(file)).returncode == 0
    assert len(stuff_here("key", "list", "--file", str(file)).stdout.splitlines()) == 1


def test_a_name_is_text(tmp_path: Path) -> None:
    for name in ("\x1b[31mred", "a\x7f", "\u202egnp.exe", "\udcff"):
        with pytest.raises(KeyFault, match="control characters"):
            make_key(["read"], name)
    file = tmp_path / "keys"
    refused = stuff_here("key", "create", "--name", "\udcff", "--file", str(file))  # not UTF-8
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "Traceback" not in refused.stderr
    assert not file.exists()
    assert make_key(["read"], "Zoë 機械 🔑")[1].name == "Zoë 機械 🔑"


def test_a_line_that_is_no_key_does_not_keep_others_from_being_revoked(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    revoked, kept = (make_key(["read"], name)[1] for name in ("revoked", "kept"))
    file.write_bytes(f"nonsense\n{revoked}\n".encode() + b"\xff\n" + f"{kept}\n".encode())
    assert stuff_here("key", "revoke", revoked.id, "--file", str(file)).returncode == 0
    assert file.read_bytes() == b"nonsense\n\n\xff\n" + f"{kept}\n".encode()
    listed = stuff_here("key", "list", "--file", str(file))
    assert (listed.returncode, "Traceback" in listed.stderr) == (1, False)
    assert "Line 1 is not a key" in listed.stderr
