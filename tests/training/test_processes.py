"""Several processes train as one does: same losses, same weights, files written once."""

import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest
import torch

from fgbench.errors import ConfigError
from fgbench.training.loop import CHECKPOINT, HISTORY
from fgbench.training.processes import Processes, join_processes, refuse_idle
from tests.support import several_tasks
from tests.support.tiny_task import RECIPE, TinyTask, losses, train
from tests.support.two_processes import plain_task, weights_of


def test_without_a_launcher_there_is_one_process():
    processes = join_processes(torch.device("cpu"))
    assert (processes.rank, processes.world, processes.main) == (0, 1, True)
    assert processes.gather("one") == ["one"]
    processes.wait()


def launched(program, world, folder, *names):
    """Start several processes of a program, which write into a folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    launcher = ["torch.distributed.run", f"--nproc-per-node={world}", f"--master-port={port}"]
    arguments = [*launcher, "--module", f"tests.support.{program}", str(folder), *names]
    variables = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=variables,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "find_unused_parameters" not in done.stderr
    assert "reducer" not in done.stderr
    return folder


def found_in(folder):
    """What each process found."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("found-*.json"))]


pytestmark = pytest.mark.usefixtures("one_thread")


ROWS = ("one row", "two rows")


@pytest.fixture(scope="module")
def of_two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    (folder / "tasks").mkdir()
    return launched("two_processes", 2, folder, *ROWS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("world", "names"),
    [(2, ROWS), (3, tuple(several_tasks.TASKS)), pytest.param(4, ROWS, marks=pytest.mark.chain)],
)
def test_several_processes_descend_as_one_does(request, tmp_path, world, names):
    """Batches of 8, and a last one of fewer rows than processes; batch normalisation sees the rows of all."""
    if world == 2:
        reported = found_in(request.getfixturevalue("of_two") / "tasks")
    else:
        reported = found_in(launched("several_tasks", world, tmp_path, *names))
    assert len(reported) == world
    _norms_are_those_of_all_rows([one["norms"] for one in reported])
    actual = [one["tasks"] for one in reported]
    assert all(one == actual[0] for one in actual[1:]), "all processes have the same weights"
    assert all(one["resumed_alike"] for one in reported)
    for name in names:
        several, alone = actual[0][name], several_tasks.files_of(tmp_path / "alone", name)
        turns = 2 if name in ("images", "upper classes") else 1  # the losses take turns, an epoch each
        assert len(several["losses"]) == turns * several_tasks.EPOCHS
        for means, expected in zip(several["losses"], alone["losses"], strict=True):
            # Few rows make much of the last bits of float32, above all in gradients.
            norm = means.pop("gradient_norm")
            assert norm == pytest.approx(expected.pop("gradient_norm"), rel=1e-2), name
            assert means == pytest.approx(expected, rel=1e-4, abs=1e-5), name
        np.testing.assert_allclose(several["running"], alone["running"], rtol=1e-3, atol=1e-4, err_msg=name)
        np.testing.assert_allclose(several["weights"], alone["weights"], rtol=1e-3, atol=1e-4, err_msg=name)


def _norms_are_those_of_all_rows(several):
    """In float64, with torch's own batch normalisation of one process beside."""
    for kind in several_tasks.NORMS:
        norm, rows, gradients = several_tasks.norm_and_rows(kind)
        made = norm(rows.requires_grad_())
        made.backward(gradients)
        parts = [one[kind] for one in several]
        for name, wanted in (("values", made), ("gradients", rows.grad)):
            actual = [number for part in parts for number in part[name]]
            np.testing.assert_allclose(actual, wanted.detach().flatten(), rtol=1e-9, atol=1e-11)
        for name, value in norm.named_parameters():  # of which each process has a share
            actual = np.sum([part[name] for part in parts], axis=0)
            np.testing.assert_allclose(actual, value.grad, rtol=1e-9, atol=1e-11)
        for name, value in norm.named_buffers():
            for part in parts:
                np.testing.assert_allclose(part[name], value, rtol=1e-9)


def test_more_processes_than_rows_are_refused():
    with pytest.raises(ConfigError, match="9 processes share batches of 8 rows") as error:
        refuse_idle(Processes(rank=3, world=9), 8)
    assert "--nproc-per-node 8" in error.value.hint
    refuse_idle(Processes(rank=3, world=8), 8)


@pytest.mark.slow
def test_two_processes_train_as_one_does(of_two):
    actual = found_in(of_two)
    assert len(actual) == 2
    assert actual[0] == actual[1]
    assert [(of_two / f"end-{rank}").read_text() for rank in range(2)] == ["left", "left"]
    assert actual[0]["world"] == 2
    _is_that_of_one_process(actual[0], of_two)
    assert actual[0]["same_history"]
    assert actual[0]["resumed"] == actual[0]["whole"]
    batch = TinyTask(samples=32).batches(epoch=0, rank=0, world=1)[4]
    assert "epoch 1, step 5: loss = nan" in actual[0]["diverged"]
    assert all(f"sample-{row:02d}" in actual[0]["diverged"] for row in batch)
    for name in ("plain", "whole", "resumed"):
        assert sorted(item.name for item in (of_two / name).iterdir()) == [CHECKPOINT, HISTORY, "log"]
    assert len(list((of_two / "plain" / "log").iterdir())) == 1


def _is_that_of_one_process(actual, folder):
    task = plain_task()
    expected = losses(train(task, folder / "alone"))
    assert len(actual["losses"]) == RECIPE.epochs
    for (epoch, means, score, rate), alone in zip(actual["losses"], expected, strict=True):
        assert (epoch, score["score"], rate) == (alone[0], alone[2]["score"], alone[3])
        assert means == pytest.approx(alone[1], rel=1e-4)
    np.testing.assert_allclose(actual["weights"], weights_of(task.model), rtol=1e-3, atol=1e-5)
