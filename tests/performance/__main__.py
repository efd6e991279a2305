"""Runs the benchmarks: ``python -m tests.performance [NAME ...] [--save]``.

Each file ``bench_<name>.py`` beside this one has a function ``main()`` that prints a Markdown table of
medians and of ratios to a named baseline measured in the same run. ``--save`` also writes RESULTS.md.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import platform
import sys
import time
from pathlib import Path

from fgbench.provenance import provenance

HERE = Path(__file__).parent


class _Tee(io.TextIOBase):
    """Text that goes to the screen and is kept."""

    def __init__(self) -> None:
        self.kept = io.StringIO()

    def write(self, text: str) -> int:
        sys.__stdout__.write(text)
        sys.__stdout__.flush()
        return self.kept.write(text)


def main() -> None:
    """Run the benchmarks named on the command line, or all."""
    wanted = [word for word in sys.argv[1:] if not word.startswith("-")]
    names = sorted(path.stem for path in HERE.glob("bench_*.py"))
    unknown = sorted({f"bench_{word}" for word in wanted} - set(names))
    if unknown:
        sys.exit(f"unknown benchmarks {unknown}; known: {', '.join(name[6:] for name in names)}")
    tee = _Tee()
    with contextlib.redirect_stdout(tee):
        print("# Benchmarks\n")
        print(f"Made by `make bench` on {_hardware()}.\n")
        print(f"{_versions()}\n")
        print("Machines are noisy: trust the ratios, which compare medians of the same run.\n")
        for name in names:
            if wanted and name[6:] not in wanted:
                continue
            print(f"## {name[6:]}\n")
            begin = time.monotonic()
            importlib.import_module(f"tests.performance.{name}").main()
            print(f"\n({time.monotonic() - begin:.0f} s)\n")
    if "--save" in sys.argv:
        (HERE / "RESULTS.md").write_text(tee.kept.getvalue(), encoding="utf-8")


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
    found = provenance()
    packages = found["packages"]
    assert isinstance(packages, dict)
    listed = ", ".join(f"{name} {version}" for name, version in packages.items())
    return f"Python {found['python']}, {listed}."


if __name__ == "__main__":
    main()
