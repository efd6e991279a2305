"""The way of somebody's own clips through fgbench, command by command, by what the console says alone.

``python -m tests.support.own_data_walk FOLDER`` walks it and prints each command with its time.
"""

from __future__ import annotations

import csv
import re
import shlex
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.command_line import in_folder
from tests.support.own_data import FIRST_ROUND, SECOND_ROUND, add_votes, write_own_data

DATA = "my-clips"
FIRST = f"fgbench prepare --data-root {DATA}"
"""What README and docs/start.md say to begin with."""

_SHORT = " --set optimiser.epochs=1"
"""Added to the training: how well it learns is not asked here."""


class NoHintError(AssertionError):
    """The console did not say what comes next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A command that was run.

    Attributes:
        command: As it was typed.
        code: Its exit code.
        output: What it printed, on both streams.
        seconds: How long it took.
    """

    command: str
    code: int
    output: str
    seconds: float

    def next(self, begin: str) -> str:
        """The command that begins so, of those that the console said come next.

        Raises:
            NoHintError: If there is none.
        """
        reported = [
            line.removeprefix("next: ") for line in self.output.splitlines() if line.startswith("next: ")
        ]
        for command in "; ".join(reported).split("; "):
            if command.startswith(begin):
                return command
        raise NoHintError(f"no {begin!r} after {self.command!r}, which said:\n{self.output}")

    def first_match(self, pattern: str) -> str:
        """The first group of a pattern in what the console said.

        Raises:
            NoHintError: If it said nothing of the kind.
        """
        match = re.search(pattern, self.output)
        if match is None:
            raise NoHintError(f"nothing like {pattern!r} after {self.command!r}, which said:\n{self.output}")
        return match[1]


def walk(here: Path) -> list[Step]:
    """Draw the data into a new folder, and go from the first votes to the report.

    Args:
        here: Empty folder that commands are run in.

    Raises:
        NoHintError: If a step needs what the console did not say.
    """
    shown = {one.clip: one for one in write_own_data(here / DATA)}
    add_votes(here / DATA, shown.values(), FIRST_ROUND, round_=1)
    steps = [run(FIRST, here)]

    def go(command: str) -> Step:
        steps.append(run(command, here))
        return steps[-1]

    # The first votes: who did not agree votes again, on the clips that are listed.
    again = Path(steps[0].first_match(r"all in (\S+reannotate\.csv)"))
    steps[0].first_match(r"(add the new votes to votes\.csv with round 2, and run fgbench prepare again)")
    with (here / again).open(encoding="utf-8", newline="") as file:
        clips = [row["clip"] for row in csv.DictReader(file)]
    add_votes(here / DATA, [shown[clip] for clip in clips], SECOND_ROUND, round_=2)
    prepared = go(FIRST)
    audited = go(prepared.next("fgbench audit"))
    classical = go(audited.next("fgbench baseline lbp-svm"))
    network = go(classical.next("fgbench train msau --recipe msau-small") + _SHORT)
    report = go(network.next("fgbench report"))
    go(report.next("fgbench report --html"))
    go(report.next("fgbench leaderboard"))
    return steps


def run(command: str, here: Path) -> Step:
    """Run a command as a user would, in this process."""
    program, *arguments = shlex.split(command)
    assert program == "fgbench"
    begin = time.monotonic()
    done = in_folder(here, *arguments)
    return Step(command=command, code=done.exit_code, output=done.output, seconds=time.monotonic() - begin)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    started = time.monotonic()
    for step in walk(folder):
        print(f"$ {step.command}\n{step.output}[exit {step.code}, {step.seconds:.0f} s]\n")
    print(f"{time.monotonic() - started:.0f} s in all")
