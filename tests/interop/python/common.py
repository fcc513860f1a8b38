"""What the Python clients have in common: the records, the comparison, the command line.

Each client script makes a topic of its own, writes records with every codec, reads them back by
assignment and compares keys, values, headers, timestamps, order and offsets. It ends with status 1
and the first difference if anything is not equal.
"""

import argparse
import os
import sys
import time
from typing import NamedTuple, Optional

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
BIG_BYTES = 5 * 1024 * 1024 - 4096
MAX_MESSAGE_BYTES = 6 * 1024 * 1024
# Years ago, so topics are made with retention.ms=-1: a retention pass must not take the records.
FIRST_TIMESTAMP = 1_700_000_000_000


class Record(NamedTuple):
    """One record as it is written and as it must come back."""

    key: Optional[bytes]
    value: Optional[bytes]
    headers: list
    timestamp: int


def noise(size, seed):
    """`size` bytes that do not compress, the same for the same seed."""
    import random

    return random.Random(seed).randbytes(size)


def records(codec, big=True):
    """Null and empty keys and values, headers, text, noise, and records up to 5 MiB."""
    seed = CODECS.index(codec)
    out = []

    def add(key, value, headers=()):
        out.append(Record(key, value, list(headers), FIRST_TIMESTAMP + len(out) * 10))

    add(None, b"no key")
    add(b"no value", None)
    add(None, None)
    add(b"", b"")
    add(b"headers", b"x", [("a", b"1"), ("a", b"2"), ("empty", b""), ("null", None)])
    add("schl\u00fcssel".encode(), "w\u00e4rts \u2713".encode(), [("\u00e4", b"\x00\xff")])
    for index in range(300):
        add(b"k%d" % (index % 7) if index % 3 else None, b"line %06d of a log\n" % index * (index % 5))
    add(b"noise", noise(70_000, seed))
    add(b"zeros", bytes(900_000))
    if big:
        add(b"big", noise(BIG_BYTES, seed + 100))
        add(b"after big", b"end")
    return out


class Checks:
    """Counts what was checked; the first difference ends the process."""

    def __init__(self, client):
        self.client = client
        self.count = 0

    def fail(self, text):
        print(f"{self.client}: FAILED: {text}", file=sys.stderr, flush=True)
        os._exit(1)

    def equal(self, what, got, wanted):
        if got != wanted:
            self.fail(f"{what}: {shown(got)} instead of {shown(wanted)}")
        self.count += 1

    def true(self, what, condition):
        if not condition:
            self.fail(what)
        self.count += 1

    def compare(self, what, got, wanted, first_offset=0):
        """`got` is a list of (offset, key, value, headers, timestamp)."""
        self.equal(f"{what}: number of records", len(got), len(wanted))
        for index, (record, want) in enumerate(zip(got, wanted)):
            offset, key, value, headers, timestamp = record
            where = f"{what}: record {index}"
            self.equal(f"{where} offset", offset, first_offset + index)
            self.equal(f"{where} key", key, want.key)
            self.equal(f"{where} value", value, want.value)
            self.equal(f"{where} headers", [tuple(h) for h in headers or []], want.headers)
            self.equal(f"{where} timestamp", timestamp, want.timestamp)

    def done(self):
        print(f"{self.client}: {self.count} comparisons equal", flush=True)


def shown(value):
    text = repr(value)
    return text if len(text) < 200 else f"{text[:200]}... ({len(text)} characters)"


def arguments():
    """`BOOTSTRAP [--groups]`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("bootstrap")
    parser.add_argument("--groups", action="store_true", help="consumer groups too")
    return parser.parse_args()


def topic_name(client):
    return f"interop-{client}-{int(time.time() * 1000)}"
