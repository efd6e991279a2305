"""Several processes train as one does: same losses, same weights, files written once."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_task import RECIPE, TinyTask, losses, train
from two_processes import plain_task, weights_of

from fgbench.training.loop import CHECKPOINT, HISTORY
from fgbench.training.processes import join_processes


def test_without_a_launcher_there_is_one_process():
    processes = join_processes(torch.device("cpu"))
    assert (processes.rank, processes.world, processes.main) == (0, 1, True)
    assert processes.gather("one") == ["one"]
    processes.wait()


@pytest.mark.slow
def test_two_processes_train_as_one_does(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    launcher = ["torch.distributed.run", "--nproc-per-node=2", f"--master-port={port}"]
    program = [*launcher, str(Path(__file__).with_name("two_processes.py")), str(tmp_path)]
    variables = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", *program], capture_output=True, text=True, check=False, env=variables
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads((tmp_path / f"found-{rank}.json").read_text()) for rank in range(2)]
    assert found[0] == found[1]
    assert [(tmp_path / f"end-{rank}").read_text() for rank in range(2)] == ["left", "left"]
    assert found[0]["world"] == 2
    _is_that_of_one_process(found[0], tmp_path)
    assert found[0]["same_history"]
    assert found[0]["resumed"] == found[0]["whole"]
    batch = TinyTask(samples=32).batches(epoch=0, rank=0, world=1)[4]
    assert "epoch 0, step 4 (from 0): loss = nan" in found[0]["diverged"]
    assert all(f"sample-{row:02d}" in found[0]["diverged"] for row in batch)
    for name in ("plain", "whole", "resumed"):
        assert sorted(item.name for item in (tmp_path / name).iterdir()) == [CHECKPOINT, HISTORY, "log"]
    assert len(list((tmp_path / "plain" / "log").iterdir())) == 1


def _is_that_of_one_process(found, folder):
    task = plain_task()
    expected = losses(train(task, folder / "alone"))
    assert len(found["losses"]) == RECIPE.epochs
    for (epoch, means, score, rate), alone in zip(found["losses"], expected, strict=True):
        assert (epoch, score["score"], rate) == (alone[0], alone[2]["score"], alone[3])
        assert means == pytest.approx(alone[1], rel=1e-4)
    np.testing.assert_allclose(found["weights"], weights_of(task.model), rtol=1e-3, atol=1e-5)
