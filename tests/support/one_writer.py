"""What holds of every method that trains: what is forced starts anew, and one process writes the run.

Each function is given ``train(context)``, which makes a run in a context and returns its folder.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from fgbench.training.processes import Processes


class KilledError(Exception):
    """Ends a training in its midst."""


def forced_runs_start_anew(train, context):
    """After a kill that leaves a checkpoint, ``--force`` begins with the first step."""

    def killed(name, done, of):
        if name == "train" and 3 * done > 2 * of:
            raise KilledError

    with pytest.raises(KilledError):
        train(replace(context, progress=killed))
    assert list((context.workdir / "runs").rglob("checkpoint.pt")), "there is something to continue"
    for force, first in ((False, False), (True, True)):
        steps = []
        changed = replace(context, force=force, progress=telling(steps))
        if force:
            train(changed)
        else:
            with pytest.raises(KilledError):
                train(replace(changed, progress=telling(steps, stop=True)))
        assert (steps[0] == 1) == first, f"force={force}: begins with step {steps[0]}"


def telling(steps, *, stop=False):
    """Progress that notes the steps; with ``stop`` it ends the training after the first."""

    def progress(name, done, of):
        if name == "train":
            steps.append(done)
            if stop:
                raise KilledError

    return progress


def other_processes_write_no_run(train, context, monkeypatch):
    """This process takes itself for another than the first, whose files these are."""
    monkeypatch.setattr(Processes, "main", property(lambda self: False))
    train(context)
    written = [path.name for path in (context.workdir / "runs").rglob("*") if path.is_file()]
    assert [name for name in written if not name.endswith(".lock")] == []
