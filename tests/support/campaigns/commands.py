"""Commands of fgbench with a limit of time, a watch over memory, and what must hold of each of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fgbench.errors import EXIT_CODES

LIMIT_S = 60.0
MEMORY_MB = 2000.0
DOCUMENTED = frozenset({0, 2, 130, *EXIT_CODES.values()})
"""Exit codes that a user may see; 1 is an unexpected failure, and none is expected here."""
MAX_OUTPUT = 200_000
"""Characters that a command may print: more is a message that holds its input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended.

    Attributes:
        arguments: The command without ``fgbench``.
        status: Exit code; negative: the signal that ended it.
        stopped: ``"time"`` or ``"memory"`` where it went over a limit, ``"kill"`` where it was killed on
            purpose, else empty.
        seconds: Wall-clock time.
        peak_mb: Resident memory of its heaviest process.
        lingering: Whether processes of it had to be ended long after it.
        output: What it printed on its standard output.
        errors: The same of the error stream.
    """

    arguments: tuple[str, ...]
    status: int
    stopped: str
    seconds: float
    peak_mb: float
    lingering: bool
    output: str
    errors: str

    def faults(self) -> list[str]:
        """What must never be, one line each; none if all is well."""
        actual = []
        text = self.output + self.errors
        if "Traceback (most recent call last)" in text:
            actual.append(f"traceback: {_last_line(text)}")
        if self.stopped == "time":
            actual.append(f"no end after {self.seconds:.0f} s: {_where(self.errors)}")
        elif self.stopped == "memory" or self.peak_mb > MEMORY_MB:
            actual.append(f"{self.peak_mb:.0f} MB of memory after {self.seconds:.1f} s")
        elif self.stopped != "kill" and self.status not in DOCUMENTED:
            actual.append(f"exit code {self.status}: {_last_line(text)}")
        if self.lingering:
            actual.append("processes left behind")
        if len(text) > MAX_OUTPUT:
            actual.append(f"printed {len(text)} characters")
        command = " ".join(self.arguments[:2])
        return [f"{command}: {fault}" for fault in actual]

    @property
    def printed(self) -> str:
        """All that it printed."""
        return self.output + self.errors


class Commands:
    """Runs commands one after the other in a process that stays; see :mod:`tests.support.campaigns.forking`.

    Args:
        scratch: Folder for what commands print.
    """

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._server = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("forking.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},  # other numbers of threads give other last bits
        )

    def run(
        self,
        *arguments: str | Path,
        cwd: Path | None = None,
        limit_s: float = LIMIT_S,
        kill_after_s: float | None = None,
        kill_group: bool = True,
        environment: Mapping[str, str] | None = None,
    ) -> Ended:
        """Run ``fgbench`` with arguments.

        Args:
            arguments: Command, arguments, options.
            cwd: Current directory of the command; an empty one if not given.
            limit_s: Time after which it is ended.
            kill_after_s: Kill it (SIGKILL) so long after its start.
            kill_group: Kill its workers at the same instant, or the parent alone.
            environment: Variables to set.
        """
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        files = [self._scratch / name for name in ("stdout", "stderr")]
        if cwd is None:
            cwd = self._scratch / "cwd"
            cwd.mkdir(exist_ok=True)
        texts = tuple(str(argument) for argument in arguments)
        order = {
            "arguments": texts,
            "cwd": str(cwd),
            "stdout": str(files[0]),
            "stderr": str(files[1]),
            "limit_s": limit_s,
            "memory_mb": MEMORY_MB,
            "kill_after_s": kill_after_s,
            "kill_group": kill_group,
            "environment": dict(environment or {}),
        }
        self._server.stdin.write(json.dumps(order) + "\n")
        self._server.stdin.flush()
        answer = self._server.stdout.readline()
        if not answer:
            raise RuntimeError("the process that forks commands has ended")
        output, errors = (path.read_bytes().decode("utf-8", "replace") for path in files)
        return Ended(arguments=texts, output=output, errors=errors, **json.loads(answer))

    def close(self) -> None:
        """End the process."""
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait(timeout=60)


def faults_of(endings: Sequence[Ended]) -> list[str]:
    """Faults of several commands."""
    return [fault for ended in endings for fault in ended.faults()]


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "nothing was said"


def _where(errors: str) -> str:
    """Innermost places of fgbench in what faulthandler wrote."""
    positions = [line.strip() for line in errors.splitlines() if 'File "' in line]
    ours = [position for position in positions if "fgbench" in position] or positions
    return "; ".join(ours[:2])[:300]
