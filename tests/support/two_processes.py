"""Program of two processes (gloo): ``tests.support.two_processes FOLDER NAME...`` trains in several ways.

Each process writes what it finds into ``FOLDER/found-RANK.json``, and into ``FOLDER/end-RANK`` whether the
group was gone before the interpreter ended. Tasks of these names are trained in ``FOLDER/tasks`` by
:mod:`tests.support.several_tasks`.
"""

from __future__ import annotations

import atexit
import json
import sys
import weakref
from pathlib import Path

import numpy as np
import torch
from torch import distributed

from fgbench.errors import ConfigError
from fgbench.training.processes import join_processes
from tests.support import several_tasks
from tests.support.tiny_task import KilledError, TinyTask, digest, killer, losses, train


def plain_task():
    """Without what differs between one process and several on purpose; 29 rows leave the last batch one."""
    return TinyTask(samples=29, norm=False, dropout=0.0)


def weights_of(model):
    """All weights in a row."""
    return np.concatenate([value.detach().numpy().ravel() for value in model.parameters()]).tolist()


def _main(folder: Path, names: list[str]) -> None:
    torch.set_num_threads(1)
    groups = []
    atexit.register(_tell_end, folder, groups)  # what is registered first is called last
    processes = join_processes(torch.device("cpu"))
    groups += [processes.rank, weakref.ref(distributed.group.WORLD)]
    actual = {"world": processes.world}

    task = plain_task()
    if processes.rank:  # the main one's weights count
        torch.nn.init.ones_(task.model[0].weight)
    actual["losses"] = losses(train(task, folder / "plain"))
    actual["weights"] = weights_of(task.model)

    # Batch normalisation needs two rows in each process.
    whole, resumed = TinyTask(samples=32), TinyTask(samples=32)
    history = train(whole, folder / "whole")
    try:
        train(TinyTask(samples=32), folder / "resumed", progress=killer(14))
    except KilledError:
        actual["same_history"] = losses(train(resumed, folder / "resumed")) == losses(history)
    actual["whole"], actual["resumed"] = digest(whole.model), digest(resumed.model)

    poisoned = TinyTask(samples=32)
    poisoned.poison = {int(poisoned.batches(epoch=0, rank=1, world=2)[4][0]): float("nan")}
    try:
        train(poisoned, folder / "poisoned")
    except ConfigError as error:
        actual["diverged"] = error.message
    (folder / f"found-{processes.rank}.json").write_text(json.dumps(actual))
    several_tasks.main(folder / "tasks", names)


def _tell_end(folder: Path, groups: list) -> None:
    rank, group = groups
    (folder / f"end-{rank}").write_text("left" if group() is None else "there")


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2:])
