"""Damaged work folders: every damage of bytes that are used is found, and mended where that is possible.

Nothing of the user's that lies in such a folder is touched.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.campaigns.cases import Case, chosen, expect_none
from tests.support.campaigns.commands import Commands, Ended
from tests.support.campaigns.damages import (
    CACHES,
    CHAINED,
    PREPARED,
    SEEN,
    Damaged,
    damage,
    harmed,
    kind_of,
    plant,
)
from tests.support.campaigns.folders import Prepared, bytes_below, copied, differences, prepared
from tests.support.campaigns.long_commands import command_of, written

DAMAGED = "damaged"
"""Name of the copy of a work folder that a case damages."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, commands: Commands) -> Prepared:
    """A work folder with manifests and two runs, and files of the user's."""
    made = prepared(tmp_path_factory.mktemp("damage") / "small", commands)
    for arguments in (
        ["baseline", "lbp-svm", "--jobs", "1"],
        ["baseline", "plain-cnn", "--recipe", made.recipe_of("cnn"), "--jobs", "1"],
    ):
        ended = commands.run(*arguments, "--workdir", made.work, limit_s=300)
        assert ended.status == 0, ended.printed
    plant(made.work)
    return made


@pytest.fixture(scope="module")
def chained(tmp_path_factory: pytest.TempPathFactory, commands: Commands) -> Prepared:
    """A work folder with a chain of networks, each of which starts from the one before."""
    made = prepared(tmp_path_factory.mktemp("damage") / "drawn", commands, "drawn")
    # Runs hold the path of their work folder: made where the damaged copies will be.
    work = copied(made.work, made.recipes / DAMAGED)
    for name in ("au", "msau", "nan", "tmsau"):
        ended = commands.run(*command_of(name).of(made, work), limit_s=300)
        assert ended.status == 0, ended.printed
    plant(work)
    return replace(made, work=work.rename(made.recipes / "finished"))


def looked_at(work: Path, kind: str, finished: Prepared, commands: Commands) -> list[Ended]:
    """What commands that read the folder make of it."""
    orders: list[list[str | Path]] = [["check", work], ["check", work, "--deep"]]
    if kind in PREPARED:
        orders += [
            ["status", work],
            ["report", "--table", "I", "--workdir", work],
            ["baseline", "lbp-svm", "--workdir", work, "--force", "--jobs", "1"],
        ]
    elif kind not in CACHES:
        orders += [["leaderboard", "--workdir", work], ["report", "--html", "--workdir", work]]
    if kind == "weights":
        orders.append(["evaluate", "campaign-cnn", "--workdir", work, "--jobs", "1"])
    return [commands.run(*order) for order in orders]


def made_again(done: Damaged, work: Path, finished: Prepared, commands: Commands) -> tuple[Ended, list[str]]:
    """A command that reads a damaged cache, run anew, and whether it ends in the bytes of before."""
    faults = []
    for name in CACHES[done.kind]:
        command = command_of(name)
        before = written(command, work)
        ended = commands.run(*command.of(finished, work), "--force", limit_s=300)
        faults += ended.faults()
        if ended.status:
            faults.append(f"exit code {ended.status}: {ended.printed[-300:]}")
        else:
            other = differences(written(command, work), before)
            faults += [f"{name} took the damaged bytes: {', '.join(other[:4])}"] if other else []
    return ended, faults


def tried(case: Case, finished: Prepared, commands: Commands) -> list[str]:
    work = copied(finished.work, finished.recipes / DAMAGED)
    clean = bytes_below(work)
    done = damage(case, work)
    endings = looked_at(work, done.kind, finished, commands)
    faults = [fault for ended in endings for fault in ended.faults()]
    if done.kind in CACHES:
        ended, again = made_again(done, work, finished, commands)
        endings.append(ended)
        faults += again
    mends = [commands.run(*finished.prepare(work))]
    if done.kind in PREPARED:
        mends.append(commands.run("check", work, "--repair"))
    faults += [fault for ended in mends for fault in ended.faults()]
    after = bytes_below(work)
    if (
        done.name not in SEEN
        and not is_noticed(done, [*endings, *mends])
        and after.get(done.name) != clean[done.name]
    ):
        faults.append("not found, not mended")
    if done.kind in PREPARED and not (done.replaced and any(ended.status for ended in mends)):
        names = [name for name in clean if name.startswith("manifests/")]
        left = differences({n: after.get(n, b"") for n in names}, {n: clean[n] for n in names})
        if left:
            faults.append(f"not mended: {', '.join(left[:3])}")
        else:
            checked = commands.run("check", work, "--deep")
            faults += checked.faults() or (
                [] if checked.status == 0 else [f"check after: {checked.printed[-200:]}"]
            )
    faults += [f"a file of the user's is gone or changed: {name}" for name in harmed(work)]
    shutil.rmtree(work)
    return [f"{done.name} {done.how}: {fault}" for fault in dict.fromkeys(faults)]


def is_noticed(done: Damaged, endings: list[Ended]) -> bool:
    """Whether any command failed over the damage or named it."""
    names = [
        Path(done.name).name,
        *(part for part in Path(done.name).parts[1:2] if done.name.startswith("runs/")),
    ]
    return any(
        (ended.status not in (0, 2) or (ended.status == 0 and any(name in ended.errors for name in names)))
        for ended in endings
    )


@pytest.mark.chain
@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_every_damage_is_found_and_mended(request: pytest.FixtureRequest, commands: Commands) -> None:
    faults = {
        case: tried(
            case,
            request.getfixturevalue("chained" if kind_of(case) in CHAINED else "finished"),
            commands,
        )
        for case in chosen(request.config, "damage")
    }
    expect_none(faults, "test_damage")
