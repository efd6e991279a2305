"""Recipes that are damaged, absurd or hostile."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.support.campaigns.cases import Case
from tests.support.campaigns.mutations import (
    change_lines,
    cut_end,
    flip_bits,
    overwrite,
    put_in,
    repeat,
    take_out,
)

WHOLE = """\
name: campaign
description: A recipe in which nothing is wrong.
buckets: 2
max_reject_rate: 1.0
dataset: {adapter: fg_emotions, name: campaign, scheme: fg33, synthetic: true}
split: {group_by: clip_id, train: 2, val: 1, test: 1, seed: 3}
sample: {before: 1, after: 0, video: none}
faces: {align: never, chip_size: 64}
augment: {copies: 0}
lbp: {enabled: false}
"""

VALUES = (
    ".inf",
    "-.inf",
    ".nan",
    "-1",
    "0",
    "1e400",
    "9" * 30,
    "9" * 5000,
    "0x7fffffffffffffff",
    "010",
    "1:30",
    "1_000",
    "true",
    "yes",
    "null",
    "~",
    "[]",
    "{}",
    "[1, 2]",
    "2001-01-01",
    "2001-99-99",
    '"\\ud800"',
    '"\\0"',
    '"\\e[31m"',
    "../../../../etc",
    "/etc/passwd",
    "http://127.0.0.1:9/x",
    "!!binary aGVsbG8=",
    "!!set {a, b}",
    "!!python/object/apply:os.system [echo hacked]",
    "!!python/name:os.system",
    "!!timestamp 2001-01-01",
    "!unknown x",
    "<<: *none",
    "&a [*a]",
    "'" + "x" * 300 + "'",
    "'" + "x" * 300_000 + "'",
    "1000000000",
    "100000000",
    "os",
    "__init__",
    "_card",
)
"""What may stand behind any key."""

KEYS = (
    "name",
    "description",
    "buckets",
    "max_reject_rate",
    "dataset.adapter",
    "dataset.name",
    "dataset.variant",
    "dataset.scheme",
    "dataset.synthetic",
    "protocol.kind",
    "protocol.label",
    "protocol.folds",
    "protocol.fold_file",
    "ingest.decoder",
    "consensus.min_votes",
    "consensus.key_frame_tolerance",
    "split.train",
    "split.seed",
    "sample.before",
    "sample.after",
    "sample.step",
    "sample.video_frames",
    "faces.detector",
    "faces.detector_model",
    "faces.min_face_px",
    "faces.padding",
    "faces.geometry",
    "faces.chip_size",
    "faces.redetect_every",
    "augment.copies",
    "augment.train",
    "augment.max_rotation_deg",
    "augment.seed",
    "lbp.points",
    "lbp.radius",
    "lbp.rows",
    "dense_trajectories.max_side_px",
    "optical_flow.size_px",
    "wide_faces.margin",
    "extends",
    "unknown",
)


def _with(key: str, value: str) -> str:
    """The whole recipe with one value replaced or added."""
    section, _, field = key.rpartition(".")
    lines = WHOLE.splitlines()
    if not section:
        return (
            "\n".join([line for line in lines if not line.startswith(f"{key}:")] + [f"{key}: {value}"]) + "\n"
        )
    lines = [line for line in lines if not line.startswith(f"{section}:")]
    beside = "adapter: fg_emotions, " if section == "dataset" and field != "adapter" else ""
    return "\n".join([*lines, f"{section}: {{{beside}{field}: {value}}}"]) + "\n"


def _odd_value(rng: random.Random) -> bytes:
    return _with(rng.choice(KEYS), rng.choice(VALUES)).encode()


def _damaged(rng: random.Random) -> bytes:
    data = WHOLE.encode()
    for _ in range(rng.randint(1, 3)):
        change = rng.choice((flip_bits, overwrite, put_in, repeat, take_out, cut_end, change_lines))
        data = change(data, rng, [data]) if data else data
    return data


def _laughs(levels: int) -> Callable[[random.Random], bytes]:
    """Lists of lists: ten times as many with every level."""

    def write(rng: random.Random) -> bytes:
        lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
        for level in range(1, levels):
            lines.append(f"a{level}: &a{level} [" + ", ".join([f"*a{level - 1}"] * 10) + "]")
        return ("\n".join(lines) + f"\nname: *a{levels - 1}\n").encode()

    return write


def _merge_bomb(rng: random.Random) -> bytes:
    lines = ["k0: &k0 {a: 1, b: 2}"]
    for level in range(1, 30):
        lines.append(f"k{level}: &k{level} {{<<: [*k{level - 1}, *k{level - 1}], x{level}: 1}}")
    return ("\n".join(lines) + "\nsplit: {<<: *k29}\n").encode()


def _nested(depth: int, *, flow: bool) -> Callable[[random.Random], bytes]:
    def write(rng: random.Random) -> bytes:
        if flow:
            return b"name: " + b"[" * depth + b"]" * depth
        return b"".join(b" " * level + b"a:\n" for level in range(depth))

    return write


def _many_keys(rng: random.Random) -> bytes:
    return (WHOLE + "".join(f"key{number}: 1\n" for number in range(50_000))).encode()


def _twice(rng: random.Random) -> bytes:
    line = rng.choice([line for line in WHOLE.splitlines() if not line.startswith("name")])
    return (WHOLE + line + "\n").encode()


def _encoded(encoding: str) -> Callable[[random.Random], bytes]:
    return lambda rng: WHOLE.replace("nothing", "nöthing").encode(encoding)


def _text(text: str) -> Callable[[random.Random], bytes]:
    return lambda rng: text.encode("utf-8", "surrogatepass")


ODD: Mapping[str, Callable[[random.Random], bytes]] = {
    "laughs_6": _laughs(6),
    "laughs_9": _laughs(9),
    "merge_bomb": _merge_bomb,
    "nested_lists": _nested(5_000, flow=True),
    "nested_maps": _nested(1_500, flow=False),
    "many_keys": _many_keys,
    "key_twice": _twice,
    "utf16": _encoded("utf-16"),
    "latin1": _encoded("latin-1"),
    "utf32": _encoded("utf-32"),
    "empty": _text(""),
    "list": _text("- a\n- b\n"),
    "number": _text("1\n"),
    "null_bytes": _text("name: a\0b\n"),
    "two_documents": _text(WHOLE + "---\n" + WHOLE),
    "directive": _text("%YAML 9.9\n---\n" + WHOLE),
    "tabs": _text(WHOLE.replace(" ", "\t")),
    "surrogate": _text(WHOLE.replace("nothing", "\ud800")),
    "bidi": _text(WHOLE.replace("nothing", "\u202enothing")),
    "own_parent": _text("extends: case\nname: a\n"),
    "long_parent": _text(f"extends: {'x' * 5000}\nname: a\n"),
    "parent_elsewhere": _text("extends: ../../etc/passwd\nname: a\n"),
    "parent_list": _text("extends: [demo]\nname: a\n"),
    "parent_number": _text("extends: 3\nname: a\n"),
    "key_list": _text("? [a, b]\n: 1\nname: a\n"),
    "key_map": _text("? {a: b}\n: 1\nname: a\n"),
    "key_number": _text("1: 2\nname: a\n"),
    "alias_loop": _text("name: a\nsplit: &s {train: *s}\n"),
    "huge_list": _text("name: [" + "1," * 200_000 + "]\n"),
    "colons": _text("a:" * 20_000),
    "quotes": _text('"' * 20_001),
    "json": _text('{"name": "a", "name": "b"}'),
}

CHAIN = 400
"""Recipes that extend one another in the longest chain."""


def write_case(case: Case, folder: Path) -> tuple[str, Path]:
    """Write the recipe of a case; returns how it was made, and its file."""
    rng = case.random()
    path = folder / "case.yaml"
    turn, position = divmod(case.number, 3)
    if position == 0 and turn < len(ODD):
        name = sorted(ODD)[turn]
        path.write_bytes(ODD[name](rng))
    elif position == 0 and turn == len(ODD):
        name = "chain"
        for number in range(CHAIN):
            (folder / f"link{number}.yaml").write_text(f"extends: link{number + 1}\n", encoding="utf-8")
        (folder / f"link{CHAIN}.yaml").write_text(WHOLE, encoding="utf-8")
        path.write_text("extends: link0\n", encoding="utf-8")
    elif position == 0 and turn == len(ODD) + 1:
        name = "circle"
        path.write_text("extends: other\n", encoding="utf-8")
        (folder / "other.yaml").write_text("extends: case\n", encoding="utf-8")
    elif position == 1:
        name = "damaged"
        path.write_bytes(_damaged(rng))
    else:
        data = _odd_value(rng)
        name = f"odd_value {data.decode().splitlines()[-1][:80]!r}"
        path.write_bytes(data)
    return name, path
