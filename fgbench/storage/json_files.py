"""JSON files, equal values as equal bytes."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import Any, NoReturn

from fgbench.errors import ManifestError
from fgbench.files.file_errors import readable
from fgbench.storage.whole_files import write_text

MAX_JSON_BYTES = 1 << 28
"""Largest JSON file that is read, so that none takes all memory; fgbench writes none of that size."""

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def write_json(path: Path, value: Any, *, on_one_line: bool = False) -> None:
    """Write JSON atomically, with sorted keys, so that equal values give equal bytes.

    Args:
        path: The file.
        value: What it holds.
        on_one_line: For values of many parts, which nobody reads: several times as fast.
    """
    indent = None if on_one_line else 1
    text = json.dumps(value, indent=indent, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_text(path, f"{text}\n")


def read_json(path: Path) -> Any:
    """Read JSON written by :func:`write_json`: NaN and infinity are refused.

    Raises:
        ManifestError: If it is no regular file, larger than :data:`MAX_JSON_BYTES`, not UTF-8, not JSON, or
            nested too deep.
        ResourceError: If it may not be read.
        FileNotFoundError: If it does not exist.
    """
    again = "delete it and run the command again"
    with readable(path):
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ManifestError(f"{path} is no regular file, expected one of JSON", again)
        if status.st_size > MAX_JSON_BYTES:
            size = f"{status.st_size / 1e6:.0f} MB, expected at most {MAX_JSON_BYTES / 1e6:.0f} MB"
            raise ManifestError(f"{path} has {size} of JSON", again)
        try:
            text = path.read_text(encoding="utf-8")
            value = json.loads(text, parse_constant=_refuse_constant)
            if _SURROGATE.search(text):
                json.dumps(value, ensure_ascii=False).encode("utf-8")  # refuses half a pair
            return value
        except (ValueError, RecursionError) as error:
            reason = "nested too deep" if isinstance(error, RecursionError) else error
            raise ManifestError(f"{path} is not valid JSON: {reason}", again) from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name}, expected a number")
