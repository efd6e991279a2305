"""Damage to a finished work folder: any file of it, in any way that keeps a name."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.campaigns.cases import Case

OURS: Mapping[str, Sequence[str]] = {
    "stage": ("stages/*/*.parquet",),
    "weights": ("runs/*/*/*/weights.safetensors",),
    "index": ("manifests/index.json",),
    "result": ("runs/*/*/*/result.json",),
    "published": ("manifests/*.parquet", "manifests/*/*.parquet", "manifests/features/*/*.parquet"),
    "marker": ("stages/*/*.json",),
    "plan": ("plans/*.json",),
    "run table": ("runs/*/*/*/predictions.parquet",),
    "prepare": ("prepare.json",),
    "text": ("manifests/README.md", "manifests/reannotate.csv"),
    "beside": (
        "runs/*/*/*/history.json",
        "runs/*/*/*/config.yaml",
        "runs/*/*/*/README.md",
        "runs/*/*/*/*.csv",
    ),
    "ours": (".fgbench-work.json", ".verified.json"),
    "maps": ("cache/maps/*/maps-*",),
    "frames": ("cache/frames/*/maps-*",),
    "chain": (
        "runs/*/*/*/branches.parquet",
        "runs/*/*/*/regions.parquet",
        "runs/*/*/*/streams.parquet",
        "runs/*/*/*/attention.parquet",
        "runs/*/*/*/au_*",
        "runs/*/*/*/weights.safetensors",
    ),
}
"""Kind of file to where such files lie."""

CHAINED = frozenset({"maps", "frames", "chain"})
"""Kinds of a work folder with a chain of networks, each on the one before."""
CACHES: Mapping[str, Sequence[str]] = {"maps": ("msau",), "frames": ("nan", "tmsau")}
"""Kinds that can be made again at any time, and the commands that read and make them."""

PREPARED = frozenset({"index", "published", "text", "prepare", "marker", "plan", "stage"})
"""Kinds that ``fgbench prepare`` makes, and mends."""
SEEN = frozenset({".verified.json"})
"""What was verified when: without it all is verified once more, and nothing needs to be said."""

SHAPES = (
    "{}",
    "[]",
    "1",
    "NaN",
    '"x"',
    "null",
    "",
    "{",
    "[" * 100_000,
    '{"a":' * 5000 + "1" + "}" * 5000,
    "\ufeff{}",
)
"""Texts in place of a JSON file."""
VALUES: tuple[Any, ...] = (None, [], {}, "x", -1, 2**70, True, [[]], {"a": 1})
"""Values in place of one of a JSON file."""

PLANTED: Mapping[str, bytes] = {
    "notes.txt": b"of the user's",
    "notes.tmp-2024.docx": b"not a temporary of ours",
    "stages/faces/mine.tmp-2.txt": b"nor this",
    "runs/mine/keep.txt": b"a run of another program",
}
"""Files of the user's in a work folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """What was done to a work folder.

    Attributes:
        kind: One of :data:`OURS`.
        name: File, relative to the work folder.
        how: In which way.
        replaced: Whether something that is no file stands in its place.
    """

    kind: str
    name: str
    how: str
    replaced: bool


def _in_place(path: Path, data: bytes) -> None:
    """Write through to the same file, so that hard links share it."""
    with path.open("r+b") as file:
        file.write(data)
        file.truncate(len(data))


def _flip_bit(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    _in_place(path, data)


def _flip_many(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(max(2, len(data) // 100)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    _in_place(path, data)


def _cut(path: Path, rng: random.Random) -> None:
    data = path.read_bytes()
    last = len(data.rstrip()) - 1  # JSON says the same without the newline at its end
    _in_place(path, data[: rng.choice((0, len(data) // 2, last))])


def _zeros(path: Path, rng: random.Random) -> None:
    """As a crash of the system leaves files: the right length, nothing in it."""
    _in_place(path, bytes(path.stat().st_size))


def _gone(path: Path, rng: random.Random) -> None:
    path.unlink()


def _folder(path: Path, rng: random.Random) -> None:
    path.unlink()
    path.mkdir()


def _pipe(path: Path, rng: random.Random) -> None:
    path.unlink()
    os.mkfifo(path)


def _broken_link(path: Path, rng: random.Random) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def _link(path: Path, rng: random.Random) -> None:
    """A link to a file of the user's."""
    root = next(parent for parent in path.parents if (parent / "notes.txt").is_file())
    path.unlink()
    path.symlink_to(root / "notes.txt")


def _shape(path: Path, rng: random.Random) -> None:
    path.write_text(rng.choice(SHAPES), encoding="utf-8")


def _not_utf8(path: Path, rng: random.Random) -> None:
    path.write_bytes(b'{"a": "\xff\xfe"}')


def _value(path: Path, rng: random.Random) -> None:
    """One value somewhere in it is of another kind."""
    content = json.loads(path.read_text(encoding="utf-8"))
    position: Any = content
    while True:
        keys = sorted(position) if isinstance(position, dict) else list(range(len(position)))
        key = rng.choice(keys)
        below = position[key]
        if not isinstance(below, dict | list) or not below or rng.random() < 0.3:
            break
        position = below
    position[key] = rng.choice([value for value in VALUES if value != position[key]])
    path.write_text(json.dumps(content), encoding="utf-8")


def _key_gone(path: Path, rng: random.Random) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(content, dict) and content:
        del content[rng.choice(sorted(content))]
    path.write_text(json.dumps(content), encoding="utf-8")


Way = Callable[[Path, random.Random], None]
BYTES: Mapping[str, Way] = {
    "bit flipped": _flip_bit,
    "bytes flipped": _flip_many,
    "cut": _cut,
    "zeros": _zeros,
    "gone": _gone,
}
INSTEAD: Mapping[str, Way] = {
    "a folder instead": _folder,
    "a pipe instead": _pipe,
    "a broken link instead": _broken_link,
    "a link to the user's instead": _link,
}
JSON: Mapping[str, Way] = {
    "another shape": _shape,
    "another value": _value,
    "a key gone": _key_gone,
    "not UTF-8": _not_utf8,
}


def kind_of(case: Case) -> str:
    """Kind of file that a case damages."""
    return list(OURS)[case.number % len(OURS)]


def damage(case: Case, work: Path) -> Damaged:
    """Damage one file of a work folder."""
    rng = case.random()
    kind = kind_of(case)
    files = sorted(path for pattern in OURS[kind] for path in work.glob(pattern) if path.stat().st_size)
    path = rng.choice(files)
    ways = {**BYTES, **INSTEAD} if rng.random() < 0.3 else dict(BYTES)
    if path.suffix == ".json" and rng.random() < 0.7:
        ways = dict(JSON)
    how = rng.choice(sorted(ways))
    before = path.read_bytes()
    ways[how](path, rng)
    if how not in INSTEAD and path.exists() and path.read_bytes() == before:
        _cut(path, random.Random(0))
        how = "cut"
    return Damaged(kind=kind, name=path.relative_to(work).as_posix(), how=how, replaced=how in INSTEAD)


def plant(work: Path) -> None:
    """Put the user's files into a work folder."""
    for name, data in PLANTED.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_bytes(data)


def harmed(work: Path) -> list[str]:
    """Files of the user's that are gone or changed."""
    return [
        name
        for name, data in PLANTED.items()
        if not (work / name).is_file() or (work / name).read_bytes() != data
    ]
