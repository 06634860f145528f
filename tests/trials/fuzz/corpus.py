"""Requests, good and bad, and mutations of them."""

import gzip
import random

JSON = b"Content-Type: application/json\r\n"
NDJSON = b"Content-Type: application/x-ndjson\r\n"
GZIP = b"Content-Encoding: gzip\r\n"


def request(
    line: bytes, body: bytes | None = None, headers: bytes = b"", length: int | None = None
) -> bytes:
    """A request; with a body its length, or another that is claimed."""
    head = line + b" HTTP/1.1\r\nHost: localhost\r\n" + headers
    if body is None:
        return head + b"\r\n"
    claimed = len(body) if length is None else length
    return head + b"Content-Length: %d\r\n\r\n" % claimed + body


def chunked(line: bytes, *chunks: bytes, headers: bytes = JSON) -> bytes:
    head = (
        line + b" HTTP/1.1\r\nHost: localhost\r\n" + headers + b"Transfer-Encoding: chunked\r\n\r\n"
    )
    return head + b"".join(chunks)


CORPUS = [
    request(b"GET /stuff/a"),
    request(b"GET /stuff/a?fields=a,b.c&meta=true", headers=b'If-None-Match: "a", W/"b"\r\n'),
    request(b"HEAD /stuff/a"),
    request(b"PUT /stuff/a", b'{"a": {"b": [1, 2.5, null, "\xc3\xa4"]}}', JSON),
    request(
        b"PUT /stuff/a%2Fb/c", b"{}", JSON + b"If-Match: *\r\nPrefer: return=representation\r\n"
    ),
    request(b"PATCH /stuff/a", b'{"a": null}', b"Content-Type: application/merge-patch+json\r\n"),
    request(
        b"PATCH /stuff/a",
        b'[{"op": "add", "path": "/x/-", "value": 1}, {"op": "move", "from": "/a", "path": "/b"}]',
        b"Content-Type: application/json-patch+json\r\n",
    ),
    request(b"DELETE /stuff/a", headers=b"If-Unmodified-Since: Mon, 23 Nov 2026 12:00:00 GMT\r\n"),
    request(b"DELETE /stuff?filter=%7B%22a%22%3A1%7D"),
    request(b"POST /stuff", b'{"a": 1}', JSON),
    request(b"POST /stuff", b'{"_id": "a"}\n{"b": 1}\nno\n', NDJSON),
    request(b"POST /stuff", gzip.compress(b'{"_id": "a"}', mtime=0), NDJSON + GZIP),
    request(
        b"GET /stuff?limit=2&sort=-a,b&filter=%7B%22a%22%3A%7B%22%24gt%22%3A1%7D%7D&count=true"
    ),
    request(b"GET /stuff", headers=b"Accept: application/x-ndjson\r\nAccept-Encoding: zstd\r\n"),
    request(b"OPTIONS /stuff"),
    request(b"GET /openapi.json", headers=b"Accept-Encoding: gzip;q=0.5, *;q=0\r\n"),
    request(b"GET /metrics"),
    request(b"GET /problems/not-found"),
    request(b"GET /assets/..%2f..%2fapp.py"),
    chunked(b"PUT /stuff/a", b"2\r\n{}\r\n0\r\n\r\n"),
    chunked(b"PUT /stuff/a", b"1;x=y\r\n{\r\n1\r\n}\r\n0\r\nTrailer: x\r\n\r\n"),
    # Truncated, of the wrong length, framed twice or badly.
    request(b"PUT /stuff/a", b'{"a": 1', JSON),
    request(b"PUT /stuff/a", b'{"a": 1}', JSON, length=100),
    request(b"PUT /stuff/a", b'{"a": 1}', JSON, length=3),
    request(b"PUT /stuff/a", b"{}", JSON + b"Content-Length: 9\r\n"),
    request(b"PUT /stuff/a", b"{}", JSON + b"Content-Length: -1\r\n"),
    request(b"PUT /stuff/a", b"{}", JSON + b"Transfer-Encoding: chunked\r\n"),
    request(b"PUT /stuff/a", b"{}", JSON + b"Transfer-Encoding: gzip\r\n"),
    chunked(b"PUT /stuff/a", b"zz\r\n{}\r\n0\r\n\r\n"),
    chunked(b"PUT /stuff/a", b"ffffffffffffffff\r\n{}"),
    chunked(b"PUT /stuff/a", b"2\r\n{}"),
    # Not UTF-8, in the path, the query, a header and the body.
    request(b"GET /stuff/%ff%fe"),
    request(b"GET /stuff/\xff\xfe"),
    request(b"GET /stuff?filter=%ff&sort=%00"),
    request(b"GET /stuff/a", headers=b"If-Match: \xff\xfe\r\n"),
    request(b"PUT /stuff/a", b'{"\xff": "\xed\xa0\x80"}', JSON),
    request(b"PUT /stuff/a", b'{"a": "\\ud800", "b": NaN, "c": 1e999}', JSON),
    # Deep, long, many.
    request(b"PUT /stuff/a", b'{"a":' * 50_000 + b"1" + b"}" * 50_000, JSON),
    request(b"PUT /stuff/a", b"[" * 100_000, JSON),
    request(b"PUT /stuff/a", b'{"a": ' + b"9" * 100_000 + b"}", JSON),
    request(b"GET /stuff?filter=" + b"%7B%22$and%22:%5B" * 500),
    request(b"GET /stuff/" + b"a" * 300_000),
    request(b"GET /stuff/a", headers=b"X-A: " + b"a" * 100_000 + b"\r\n"),
    request(b"GET /stuff/a", headers=b"".join(b"X-%d: a\r\n" % n for n in range(20_000))),
    request(b"GET /stuff?sort=" + b",".join(b"a%d" % n for n in range(1000))),
    # Bombs: gigabytes of zeros, of spaces, and of lines.
    request(b"PUT /stuff/a", gzip.compress(bytes(300_000_000), mtime=0), JSON + GZIP),
    request(b"POST /stuff", gzip.compress(b" " * 300_000_000, mtime=0), NDJSON + GZIP),
    request(b"POST /stuff", gzip.compress(b"\n" * 20_000_000, mtime=0), NDJSON + GZIP),
    request(b"PUT /stuff/a", gzip.compress(b"{}", mtime=0)[:-4], JSON + GZIP),
    # Other protocols, and none.
    b"GET / HTTP/0.9\r\n\r\n",
    b"GET /stuff/a HTTP/1.0\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    request(b"GET /stuff/a", headers=b"Connection: Upgrade\r\nUpgrade: websocket\r\n"),
    request(b"CONNECT example.org:443"),
    request(b"GET http://example.org/stuff/a"),
    request(b"GET *"),
    request(b"BREW /stuff/a"),
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\r\n" * 1000,
    b"",
    request(b"GET /stuff/a") * 100,
    request(b"PUT /stuff/a", b"{}", JSON) * 50,
]
TOKENS = [
    b"\r\n", b"\n", b"\0", b"\xff", b"%00", b"%", b"{", b"[", b'"', b"\\u0000", b":", b" ", b"-1",
    b"99999999999999999999", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Expect: 100-continue\r\n", b"Connection: close\r\n", b"Range: bytes=0-1\r\n", b"$where",
    b"$id", b"../", b"_id", b"_stuff", b"1e400", b"gzip", b"*", b",", b";q=", b"HTTP/1.1",
    b"\xed\xa0\x80",
]  # fmt: skip


def mutated(case: bytes, chance: random.Random) -> bytes:
    data = bytearray(case[:20_000])
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data) + 1)
        match chance.randrange(6):
            case 0:
                data[place:place] = chance.choice(TOKENS)
            case 1:
                del data[place : place + chance.randint(1, 20)]
            case 2:
                del data[place:]
            case 3:
                data[place:place] = data[place : place + chance.randint(1, 50)] * chance.randint(
                    1, 9
                )
            case 4 if data:
                data[place % len(data)] = chance.randrange(256)
            case _:
                other = chance.choice(CORPUS)[:5000]
                data[place:] = other[chance.randrange(len(other) + 1) :]
    return bytes(data)
