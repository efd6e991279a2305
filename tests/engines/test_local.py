"""The local engine: results, failures, dying workers."""

import os
import signal
import time

import pytest

from fgbench.engines import local
from fgbench.errors import MediaError, WorkerError


def double(value):
    return 2 * value


def threads(_):
    import cv2

    return cv2.getNumThreads()


def die(value):
    if value == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return value


def fail(value):
    raise MediaError(f"bad {value}", "do this", reason="why")


@pytest.mark.parametrize("jobs", [1, 3])
def test_all_tasks_are_done_once(jobs):
    with local.start(jobs) as run:
        assert sorted(run(double, list(range(50)))) == [2 * value for value in range(50)]
        assert list(run(double, [])) == []


def test_workers_use_one_thread():
    with local.start(2) as run:
        assert set(run(threads, list(range(4)))) == {1}


@pytest.mark.parametrize("jobs", [1, 2])
def test_errors_of_tasks_come_through_whole(jobs):
    with pytest.raises(MediaError, match="bad 1") as caught, local.start(jobs) as run:
        list(run(fail, [1]))
    assert (caught.value.hint, caught.value.reason) == ("do this", "why")


def test_a_dead_worker_is_one_clear_error():
    begin = time.monotonic()
    with pytest.raises(WorkerError, match="a worker process died") as caught, local.start(2) as run:
        list(run(die, list(range(8))))
    assert "continues where it was" in caught.value.hint
    assert time.monotonic() - begin < 60
