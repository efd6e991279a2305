"""Options that several commands share."""

from __future__ import annotations

import os
from typing import Annotated

import typer

Jobs = Annotated[
    int, typer.Option("--jobs", "-j", min=1, help="Worker processes.", show_default="number of cores")
]
Force = Annotated[
    bool, typer.Option("--force", help="Compute anew, and replace a result that is there already.")
]
Device = Annotated[
    str | None,
    typer.Option(
        "--device",
        help="cpu, cpu:8 (threads), cuda, cuda:1, mps.",
        show_default="cuda if there is one, else cpu",
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume/--no-resume", help="Continue an unfinished run, or start it anew.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Full = Annotated[
    bool, typer.Option("--full", help="Print the tables: every class, fold and seed, and confusions.")
]


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


DEFAULT_JOBS = cores()
