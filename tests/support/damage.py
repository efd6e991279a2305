"""Damage to files of a work folder: by a program that writes to them, and by a disk that tells nobody."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from fgbench.workfolders.verification import NOTES, state


def flip_bit(path: Path, rng: np.random.Generator) -> None:
    """Flip a bit in place, as a program does that writes to the file."""
    data = bytearray(path.read_bytes())
    data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
    with path.open("r+b") as file:
        file.write(data)


def rot(work: Path, path: Path, rng: np.random.Generator) -> None:
    """Flip a bit so that neither times nor notes tell of it, as a failing disk does."""
    flip_bit(path, rng)
    notes = json.loads((work / NOTES).read_text())
    for name, note in notes.items():
        if (work / name).exists() and (work / name).samefile(path):
            notes[name] = [*state(str(work / name)), note[4]]
    (work / NOTES).write_text(json.dumps(notes))


def shapes() -> dict[str, str]:
    """JSON, or nearly, that is not what a reader expects."""
    return {
        "object": "{}",
        "list": "[]",
        "number": "1",
        "nan": "NaN",
        "null": "null",
        "text": '"x"',
        "nothing": "",
        "cut": '{"files": {"clips.par',
        "deep": "[" * 100_000 + "]" * 100_000,
        "other": '{"files": [], "origin": 3, "counts": "x", "outputs": {}, "plans": [], "digest": 5}',
    }
