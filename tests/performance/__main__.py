"""Runs the benchmarks: ``python -m tests.performance [NAME ...] [--save] [--large]``.

Each file ``bench_<name>.py`` beside this one has a function ``main()`` that prints a Markdown table of
medians and of ratios to a named baseline measured in the same run. Every file runs in a process of its own,
so that no figure depends on what was measured before. ``--save`` also writes RESULTS.md, where benchmarks
that were not run keep what they gave last. ``--large`` adds the sizes of large data sets, where a benchmark
has them.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from pathlib import Path

from fgbench.provenance import provenance

HERE = Path(__file__).parent


class _Report:
    """Lines that go to the screen and are kept."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, line: str = "") -> None:
        """Print a line and keep it."""
        print(line, flush=True)
        self.lines.append(line + "\n")


def main() -> None:
    """Run the benchmarks named on the command line, or all."""
    wanted = [word for word in sys.argv[1:] if not word.startswith("-")]
    names = sorted(path.stem for path in HERE.glob("bench_*.py"))
    unknown = sorted({f"bench_{word}" for word in wanted} - set(names))
    if unknown:
        sys.exit(f"unknown benchmarks {unknown}; known: {', '.join(name[6:] for name in names)}")
    report = _Report()
    for line in (
        "# Benchmarks",
        f"Made by `make bench` on {_hardware()}.",
        _versions(),
        "Machines are noisy: trust the ratios, which compare medians of the same run. Each section is of the "
        "last run of its benchmark.",
    ):
        report.add(line)
        report.add()
    for name in names:
        if not wanted or name[6:] in wanted:
            _run(name, report)
    if "--save" in sys.argv:
        _save("".join(report.lines), HERE / "RESULTS.md")


def _save(text: str, path: Path) -> None:
    """Write the results, with the sections of an older file that are not among them."""
    head, *new = _sections(text)
    old = _sections(path.read_text(encoding="utf-8"))[1:] if path.exists() else []
    actual = {section.splitlines()[0]: section for section in (*old, *new)}
    path.write_text(head + "".join(actual[title] for title in sorted(actual)), encoding="utf-8")


def _sections(text: str) -> list[str]:
    """The head, then each section with its title."""
    head, *rest = text.split("\n## ")
    return [f"{head}\n", *(f"## {part.rstrip()}\n\n" for part in rest)]


def _run(name: str, report: _Report) -> None:
    """Run one benchmark in its own process; its lines appear as it prints them."""
    report.add(f"## {name[6:]}")
    report.add()
    begin, before = time.monotonic(), len(report.lines)
    code = f"from tests.performance.{name} import main; main()"
    command = [sys.executable, "-u", "-c", code, *(["--large"] if "--large" in sys.argv else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parents[1]) as process:
        assert process.stdout is not None
        for line in process.stdout:
            report.add(line.rstrip("\n"))
    if process.returncode:
        sys.exit(f"{name} ended with {process.returncode}")
    if len(report.lines) == before:
        sys.exit(f"{name} printed nothing, expected a table")
    report.add()
    report.add(f"({time.monotonic() - begin:.0f} s)")
    report.add()


def _hardware() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        model = next(
            (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model
        )
    return f"{os.cpu_count()} cores, {model}"


def _versions() -> str:
    actual = provenance()
    packages = actual["packages"]
    assert isinstance(packages, dict)
    listed = ", ".join(f"{name} {version}" for name, version in packages.items())
    return f"Python {actual['python']}, {listed}."


if __name__ == "__main__":
    main()
