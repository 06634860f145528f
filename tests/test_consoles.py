"""Console blocks are read as a reader of the documentation reads them, and compared strictly."""

import pytest

from tests.support.consoles import Command, File, not_run, read_page

PAGE = """\
Text with `$ no command`.

```json title="a.json"
{"a": 1}
```

```console
$ first 'one' \\
    two
shown
more
$ second
```

<!-- not run: needs something -->

```console
$ third
```
"""


def test_a_page_is_read_as_files_and_commands_in_order() -> None:
    assert list(read_page(PAGE)) == [
        File("a.json", '{"a": 1}\n'),
        Command(8, "first 'one' \\\n    two", "shown\nmore"),
        Command(12, "second", ""),
    ]
    assert not_run(PAGE) == ["needs something"]


@pytest.mark.parametrize(
    ("shown", "printed", "agree"),
    [
        ("one", "one", True),
        ("one", "One", False),
        ("one", "one\ntwo", False),
        ("one\ntwo", "one", False),
        ("", "", True),
        ("", "an error", False),
        ("o...e", "one", True),
        ("o...e", "on", False),
        ("one\n...", "one\ntwo\nthree", True),
        ("one\n...\nfour", "one\ntwo\nthree", False),
        ("a.c", "abc", False),
        ("at 2026-01-01T00:00:00Z", "at 2027-02-03T04:05:06.789Z", True),
        ("0b5f2a5e-0000-7000-8000-000000000000", "not an id", False),
    ],
)
def test_what_is_shown_has_to_be_what_is_printed(shown: str, printed: str, agree: bool) -> None:
    assert Command(1, "command", shown).shows(printed) is agree


def test_of_a_header_only_some_fields_are_shown_but_those_are_compared() -> None:
    printed = 'HTTP/1.1 200 OK\r\netag: "1"\r\nvary: Accept\r\n\r\n{"a":1}'
    for shown, agree in [
        ('HTTP/1.1 200 OK\netag: "1"\n{"a":1}', True),
        ('HTTP/1.1 200 OK\n{"a":1}', True),
        ('HTTP/1.1 201 Created\n{"a":1}', False),
        ('HTTP/1.1 200 OK\netag: "2"\n{"a":1}', False),
        ('HTTP/1.1 200 OK\nlocation: /a\n{"a":1}', False),
        ("HTTP/1.1 200 OK", False),
    ]:
        assert Command(1, "curl -i localhost", shown).shows(printed) is agree


def test_a_block_that_begins_without_a_command_is_refused() -> None:
    with pytest.raises(ValueError, match="line 2"):
        list(read_page("```console\noutput\n```\n"))
