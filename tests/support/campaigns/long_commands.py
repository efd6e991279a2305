"""Commands that take long: what each needs, what it writes, and whether that is the same as another time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.campaigns.folders import Prepared, bytes_below

TIMES = frozenset({"seconds", "images_per_s", "digest"})
"""Keys of ``history.json`` that tell how long an epoch took, and the digest of all, which depends on them."""
UNCOMPARED = ("/log/",)
"""Curves for TensorBoard: one file per start, with its time in the name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LongCommand:
    """A command to kill.

    Attributes:
        name: What it is called in failures.
        data: Kind of data set, see :func:`tests.support.campaigns.folders.prepared`.
        arguments: With ``{recipes}`` for the folder of recipes.
        needs: Commands that come before it, by name.
        writes: Folders of the work folder that are compared.
        short: Whether it is killed in the short campaign too.
    """

    name: str
    data: str
    arguments: tuple[str, ...]
    needs: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    short: bool = False

    def of(self, made: Prepared, work: Path) -> list[str]:
        """Arguments for a work folder."""
        if self.arguments[0] == "prepare":
            return made.prepare(work, jobs=int(self.arguments[1]))
        filled = [argument.format(recipes=made.recipes, runs=work / "runs") for argument in self.arguments]
        return [*filled, "--workdir", str(work)]


PREPARED = ("manifests", "stages", "plans")
COMMANDS: Sequence[LongCommand] = (
    LongCommand(name="prepare-1-job", data="small", arguments=("prepare", "1"), writes=PREPARED),
    LongCommand(name="prepare-2-jobs", data="small", arguments=("prepare", "2"), writes=PREPARED, short=True),
    LongCommand(
        name="lbp-svm",
        data="small",
        arguments=("baseline", "lbp-svm", "--jobs", "1"),
        writes=("runs",),
        short=True,
    ),
    LongCommand(
        name="report-html",
        data="small",
        arguments=("report", "--html"),
        needs=("lbp-svm",),
        writes=("reports",),
        short=True,
    ),
    LongCommand(
        name="report-all",
        data="small",
        arguments=("report", "--all"),
        needs=("lbp-svm",),
        writes=("reports",),
    ),
    LongCommand(
        name="plain-cnn",
        data="small",
        arguments=("baseline", "plain-cnn", "--recipe", "{recipes}/campaign-cnn.yaml", "--jobs", "1"),
        writes=("runs",),
    ),
    LongCommand(
        name="dense-traj-svm",
        data="tracked",
        arguments=("baseline", "dense-traj-svm", "--recipe", "{recipes}/campaign-dense.yaml", "--jobs", "1"),
        writes=("runs",),
    ),
    LongCommand(
        name="au",
        data="drawn",
        arguments=("train", "au", "--recipe", "{recipes}/campaign-au.yaml", "--jobs", "1"),
        writes=("runs",),
    ),
    LongCommand(
        name="msau",
        data="drawn",
        arguments=(
            *("train", "msau", "--recipe", "{recipes}/campaign-msau.yaml", "--jobs", "1"),
            *("--au-weights", "{runs}/campaign-au/0/0"),
        ),
        needs=("au",),
        writes=("runs",),
    ),
    LongCommand(
        name="nan",
        data="drawn",
        arguments=(
            *("baseline", "nan", "--recipe", "{recipes}/campaign-nan.yaml", "--jobs", "1"),
            *("--image-run", "{runs}/campaign-msau/0/0"),
        ),
        needs=("au", "msau"),
        writes=("runs",),
    ),
    LongCommand(
        name="tmsau",
        data="drawn",
        arguments=(
            *("train", "tmsau", "--recipe", "{recipes}/campaign-tmsau.yaml", "--jobs", "1"),
            *("--image-run", "{runs}/campaign-msau/0/0"),
        ),
        needs=("au", "msau"),
        writes=("runs",),
    ),
)


def command_of(name: str) -> LongCommand:
    """The command of a name."""
    return next(command for command in COMMANDS if command.name == name)


def written(command: LongCommand, work: Path) -> dict[str, bytes]:
    """What a command wrote, times aside; name to bytes."""
    actual: dict[str, bytes] = {}
    for folder in command.writes:
        for name, data in bytes_below(work / folder).items():
            path = f"{folder}/{name}"
            if any(part in path for part in UNCOMPARED):
                continue
            actual[path] = _without_times(data) if path.endswith("history.json") else data
    return actual


def _without_times(data: bytes) -> bytes:
    def strip(value: object) -> object:
        if isinstance(value, Mapping):
            return {key: strip(below) for key, below in value.items() if key not in TIMES}
        return [strip(below) for below in value] if isinstance(value, list) else value

    return json.dumps(strip(json.loads(data)), sort_keys=True).encode()
