"""Long commands killed at any instant: run again, they end in the bytes of a run that nobody disturbed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.campaigns.cases import SEED, SIZES, Case, expect_none, parse
from tests.support.campaigns.commands import Commands
from tests.support.campaigns.folders import Prepared, copied, differences, prepared
from tests.support.campaigns.long_commands import COMMANDS, LongCommand, command_of, written

PER_COMMAND = 100
"""Numbers of cases that belong to one command."""
LIMIT_S = 300.0


@dataclass(slots=True)
class Undisturbed:
    """Data sets and work folders, made when first asked for."""

    folder: Path
    commands: Commands

    def of(self, command: LongCommand) -> tuple[Prepared, Path]:
        """The data set of a command, and the work folder that it starts from."""
        base = self.folder / command.data
        made = Prepared(base / "data", base / "recipe.yaml", base / "work", base)
        if not base.exists():
            prepared(base, self.commands, command.data)
        if command.arguments[0] == "prepare":
            return made, self.folder / "nothing"
        begin = self.folder / f"{command.data}-{'-'.join(command.needs) or 'alone'}".replace(" ", "")
        if not begin.exists():
            copied(made.work, begin)
            for name in command.needs:
                ended = self.commands.run(*command_of(name).of(made, begin), limit_s=LIMIT_S)
                assert ended.status == 0, ended.printed
        return made, begin


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, commands: Commands) -> Undisturbed:
    return Undisturbed(tmp_path_factory.mktemp("undisturbed"), commands)


def cases_of(config: pytest.Config) -> dict[int, list[Case]]:
    """Number of a command to its cases that are asked for."""
    asked = config.getoption("--campaign-case")
    if asked:
        case = parse(asked)
        return {case.number // PER_COMMAND: [case]} if case.kind == "kills" else {}
    size = config.getoption("--campaign-size")
    seed = config.getoption("--campaign-seed")
    return {
        index: [
            Case("kills", SEED if seed is None else seed, PER_COMMAND * index + number)
            for number in range(SIZES["kills"][size])
        ]
        for index, command in enumerate(COMMANDS)
        if size == "long" or command.short
    }


def fresh(begin: Path, folder: Path) -> Path:
    return copied(begin, folder) if begin.exists() else folder


def tried(
    case: Case,
    command: LongCommand,
    made: Prepared,
    begin: Path,
    seconds: float,
    expected: dict[str, bytes],
    folder: Path,
    commands: Commands,
) -> list[str]:
    """Kill a command one to three times, let it end, compare."""
    rng = case.random()
    work = fresh(begin, folder)
    arguments = command.of(made, work)
    faults: list[str] = []
    instants = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        instants.append(round(rng.uniform(0.02, 1.0) * seconds, 3))
        killed = commands.run(
            *arguments, limit_s=LIMIT_S, kill_after_s=instants[-1], kill_group=rng.random() < 0.5
        )
        faults += [fault for fault in killed.faults() if "traceback" not in fault or not killed.stopped]
    ended = commands.run(*arguments, limit_s=LIMIT_S)
    faults += ended.faults()
    if ended.status:
        faults.append(f"exit code {ended.status} after the kill: {ended.printed[-300:]}")
    else:
        other = differences(written(command, work), expected)
        if other:
            faults.append(f"{len(other)} of {len(expected)} files differ: {', '.join(other[:4])}")
    shutil.rmtree(work, ignore_errors=True)
    return [f"{command.name}, killed after {instants} of {seconds:.1f} s: {fault}" for fault in faults]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test per command, so that each is told of when it ends, and several processes share them."""
    positions = list(cases_of(metafunc.config))
    metafunc.parametrize("place", positions, ids=[COMMANDS[position].name for position in positions])


@pytest.mark.chain
@pytest.mark.slow
@pytest.mark.timeout(14400)
def test_killed_commands_end_in_the_same_bytes(
    request: pytest.FixtureRequest, tmp_path: Path, undisturbed: Undisturbed, place: int
) -> None:
    faults: dict[Case, list[str]] = {}
    command, commands = COMMANDS[place], undisturbed.commands
    made, begin = undisturbed.of(command)
    # A folder of the same name each time: some results hold it.
    folder = tmp_path / "killed"
    whole = fresh(begin, folder)
    ended = commands.run(*command.of(made, whole), limit_s=LIMIT_S)
    assert ended.status == 0, ended.printed
    expected = written(command, whole)
    assert expected
    shutil.rmtree(whole)
    for case in cases_of(request.config)[place]:
        faults[case] = tried(case, command, made, begin, ended.seconds, expected, folder, commands)
    expect_none(faults, "test_kills")
