"""Allocations a row, by the library that asks for them: a drain of its own, with malloc counted, whose speed says nothing."""

import os
import re
import shutil
import tempfile

from backlog import Backlog
from drain import drain
from programs import compile_c

RECORD, NAME, RANGES = 128, 112, 256
# Of somebody else: what libpq and librdkafka allocate, and the C library for them. Everything else is our own, Swift's runtime included.
OTHERS = re.compile(r"^(libpq|librdkafka|libc|libc\+\+|libssl|libcrypto|libmicrohttpd|libz|libzstd|liblz4|libcurl|ld-linux\S*|allocations)(-[\d.]+)?\.so")


def counts(path: str) -> dict[str, int]:
    """Allocations so far by file name; a plugin's private copy counts under the plugin's name."""
    found: dict[str, int] = {}
    with open(path, "rb") as file:
        data = file.read()
    for at in range(0, RECORD * RANGES, RECORD):
        name = data[at:at + NAME].split(b"\0")[0].decode(errors="replace")
        if name:
            found[name] = found.get(name, 0) + int.from_bytes(data[at + NAME:at + NAME + 8], "little")
    return found


def allocations_per_row(program, run: str, backlog: Backlog, kafka) -> dict:
    """`own` and `by_library`, a row."""
    library = compile_c(os.path.join(os.path.dirname(os.path.abspath(__file__)), "allocations.c"), "-shared", "-fPIC")
    folder = tempfile.mkdtemp(prefix="cdc-bench-")
    path = os.path.join(folder, "counts")
    with open(path, "wb") as file:
        file.truncate(RECORD * RANGES)
    looks: list[dict[str, int]] = []
    try:
        result = drain(
            program, run, backlog, kafka, environment={"LD_PRELOAD": library, "ALLOCATION_COUNTS": path}, between=lambda: looks.append(counts(path)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(os.path.dirname(library), ignore_errors=True)
    before, after = looks
    by_library = {name: (after[name] - before.get(name, 0)) / result.rows for name in after}
    return {
        "own": sum(value for name, value in by_library.items() if not OTHERS.match(name)),
        "by_library": {name: round(value, 4) for name, value in sorted(by_library.items(), key=lambda item: -item[1]) if value > 0.00005},
    }
