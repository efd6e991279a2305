"""Tables of annotations, votes and accepted frames: with odd cells, odd columns, odd encodings, damaged."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.support.campaigns.cases import Case
from tests.support.campaigns.mutations import change_lines, flip_bits, overwrite, put_in, repeat, take_out

CLIPS = ("one", "two", "three")
LABELS = ("anger", "panic", "relief")

CELLS = (
    "",
    " ",
    "-1",
    "0",
    "2.0",
    "1e3",
    "1_0",
    "+3",
    "٣",
    "３",
    "32767",
    "32768",
    "2147483648",
    "9" * 30,
    "9" * 5000,
    "nan",
    "inf",
    "-inf",
    "-0.0",
    "1.0000001",
    "True",
    "null",
    "one.mp4",
    "./one.mp4",
    "../one.mp4",
    "/etc/passwd",
    "videos/one.mp4",
    "http://127.0.0.1:9/one.mp4",
    "ONE",
    "one\0",
    "o\u0308ne",
    "\ufeffone",
    "a\nb",
    'a"b',
    "a,b",
    "=1+1|cmd",
    "\x1b[31mred",
    "<script>alert(1)</script>",
    "'; drop table clips; --",
    "\u202eevil",
    "x" * 300,
    "x" * 200_000,
    "Anger",
    "anger ",
    "ANGER",
    "joy",
    "val",
    "train",
    "dev",
)
"""What may stand in any cell."""

TABLES: Mapping[str, Sequence[str]] = {
    "annotations.csv": ("clip", "label", "key_frame", "confidence", "subject", "source", "split"),
    "votes.csv": ("clip", "annotator", "label", "confidence", "key_frame", "round"),
    "selection.csv": ("clip", "frame"),
}

Rows = list[list[str]]


def _whole(table: str) -> Rows:
    """A table in which nothing is wrong."""
    if table == "annotations.csv":
        parts = ("train", "val", "test")
        return [
            [clip, label, "2", "0.9", f"s{index}", "web", parts[index]]
            for index, (clip, label) in enumerate(zip(CLIPS, LABELS, strict=True))
        ]
    if table == "votes.csv":
        return [
            [clip, f"annotator{vote}", LABELS[index], "0.8", "2", "1"]
            for index, clip in enumerate(CLIPS)
            for vote in range(5)
        ]
    return [[clip, str(frame)] for clip in CLIPS for frame in (1, 2, 3)]


def _text(columns: Sequence[str], rows: Rows, *, quoted: bool = True) -> bytes:
    def cell(text: str) -> str:
        odd = quoted and any(sign in text for sign in ',"\n\r')
        return '"' + text.replace('"', '""') + '"' if odd else text

    lines = [",".join(cell(text) for text in row) for row in ([*columns], *rows)]
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")


def _odd_cells(table: str, rng: random.Random) -> bytes:
    rows = _whole(table)
    for _ in range(rng.randint(1, 4)):
        row = rng.choice(rows)
        row[rng.randrange(len(row))] = rng.choice(CELLS)
    return _text(TABLES[table], rows, quoted=rng.random() < 0.8)


def _odd_rounds(table: str, rng: random.Random) -> bytes:
    rows = _whole(table)
    for row in rng.sample(rows, 3):
        row[-1] = rng.choice(("-32769", "32768", "0", "-1", "2", "99999999999999999999", "1.5", ""))
    return _text(TABLES[table], rows)


def _odd_columns(table: str, rng: random.Random) -> bytes:
    columns, rows = [*TABLES[table]], _whole(table)
    change = rng.randrange(6)
    if change == 0:
        columns[rng.randrange(len(columns))] = rng.choice(
            ("", "Label ", "clip", "x", "key frame", "\ufefflabel")
        )
    elif change == 1:
        columns = [column.upper() for column in columns]
    elif change == 2:
        gone = rng.randrange(len(columns))
        del columns[gone]
    elif change == 3:
        columns += [f"column{number}" for number in range(rng.choice((1, 100_000)))]
    elif change == 4:
        columns = [*columns, *columns]
    else:
        rng.choice(rows).extend(["more"] * rng.choice((1, 50_000)))
    return _text(columns, rows)


def _odd_rows(table: str, rng: random.Random) -> bytes:
    rows = _whole(table)
    change = rng.randrange(5)
    if change == 0:
        rows = []
    elif change == 1:
        rows += rows
    elif change == 2:
        rows = [rng.choice(rows)[: rng.randint(0, 1)] for _ in range(3)] + rows
    elif change == 3:
        rows += [["absent", *rows[0][1:]] for _ in range(200)]
    else:
        rows += [[f"absent{number}", *rows[0][1:]] for number in range(20_000)]
    return _text(TABLES[table], rows)


def _odd_encoding(table: str, rng: random.Random) -> bytes:
    data = _text(TABLES[table], _whole(table))
    text = data.decode()
    choices: tuple[Callable[[], bytes], ...] = (
        lambda: text.encode("utf-16"),
        lambda: text.encode("utf-32"),
        lambda: b"\xef\xbb\xbf" + data,
        lambda: b"\xef\xbb\xbf" * 2 + data,
        lambda: text.replace("one", "ön").encode("latin-1"),
        lambda: text.replace(",", ";").encode(),
        lambda: text.replace(",", "\t").encode(),
        lambda: data.replace(b"\n", b"\r"),
        lambda: data.replace(b"\n", b"\r\n"),
        lambda: data + b"\0" * 1000,
        lambda: data + b'"unclosed',
        lambda: b"",
        lambda: b"\n" * 100_000 + data,
        lambda: b"PK\x03\x04" + data,
        lambda: b"{}",
    )
    return rng.choice(choices)()


def _damaged(table: str, rng: random.Random) -> bytes:
    data = _text(TABLES[table], _whole(table))
    for _ in range(rng.randint(1, 3)):
        change = rng.choice((flip_bits, overwrite, put_in, repeat, take_out, change_lines))
        data = change(data, rng, [data]) if data else data
    return data


WAYS: Mapping[str, Callable[[str, random.Random], bytes]] = {
    "odd_cells": _odd_cells,
    "odd_rounds": _odd_rounds,
    "odd_columns": _odd_columns,
    "odd_rows": _odd_rows,
    "odd_encoding": _odd_encoding,
    "damaged": _damaged,
}


def write_case(case: Case, root: Path) -> str:
    """Write the tables of a case beside its clips; returns how they were made."""
    rng = case.random()
    way = sorted(WAYS)[case.number % len(WAYS)]
    table = "votes.csv" if way == "odd_rounds" else rng.choice(sorted(TABLES))
    others = {"annotations.csv": ["annotations.csv"], "votes.csv": ["votes.csv"]}.get(
        table, [rng.choice(("annotations.csv", "votes.csv")), table]
    )
    for name in others:
        (root / name).write_bytes(_text(TABLES[name], _whole(name)))
    if table == "votes.csv" and rng.random() < 0.3:
        (root / "annotations.csv").write_bytes(_text(TABLES["annotations.csv"], _whole("annotations.csv")))
    (root / table).write_bytes(WAYS[way](table, rng))
    return f"{table} {way}"


def lists_all_clips(root: Path) -> bool:
    """Whether the table of annotations is as it should be, so that each clip has to be used or rejected."""
    path = root / "annotations.csv"
    return path.is_file() and path.read_bytes() == _text(TABLES[path.name], _whole(path.name))
