"""The local engine: results, failures, dying workers."""

import math
import os
import signal
import subprocess
import sys

import pytest

from fgbench.errors import ConfigError, MediaError, WorkerError
from fgbench.preparation.engines import local


def double(value):
    return 2 * value


def threads(_):
    import cv2

    return cv2.getNumThreads()


def holds_interrupts_back(_):
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def die(value):
    if value == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return value


def die_at(value):
    if value == 3:
        os.kill(os.getpid(), signal.SIGSEGV)
    return value


def exit_at_once(value):
    os._exit(7)


def take(n_bytes):
    try:
        return len(bytearray(n_bytes))
    except MemoryError:
        return "out of memory"


def fail(value):
    raise MediaError(f"bad {value}", "do this", reason="why")


@pytest.mark.parametrize("jobs", [1, 3])
def test_all_tasks_are_done_once(jobs):
    with local.start(jobs) as run:
        assert sorted(run(double, list(range(50)))) == [2 * value for value in range(50)]
        assert list(run(double, [])) == []


def test_workers_never_see_an_interrupt_and_the_command_does():
    with local.start(2) as run:
        assert set(run(holds_interrupts_back, list(range(4)))) == {True}
        assert not holds_interrupts_back(0)


def test_workers_use_one_thread():
    with local.start(2) as run:
        assert set(run(threads, list(range(4)))) == {1}


@pytest.mark.parametrize("jobs", [1, 2])
def test_errors_of_tasks_come_through_whole(jobs):
    with pytest.raises(MediaError, match="bad 1") as caught, local.start(jobs) as run:
        list(run(fail, [1]))
    assert (caught.value.hint, caught.value.reason) == ("do this", "why")


def test_a_dead_worker_is_one_clear_error():
    with (
        pytest.raises(
            WorkerError, match=r"a worker process died: it was killed by SIGKILL \(Killed"
        ) as caught,
        local.start(2) as run,
    ):
        list(run(die, list(range(8))))
    assert "continues where it was" in caught.value.hint
    with pytest.raises(WorkerError, match="it ended with exit code 7"), local.start(2) as run:
        list(run(exit_at_once, [1]))


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_deadly_task_is_tried_again_alone_and_then_given_up_for_another(jobs):
    deaths = []

    def after_death(task, cause):
        deaths.append((task, cause))
        return -task

    with local.start(jobs) as run:
        done = run(die_at, list(range(8)), after_death=after_death, is_risky=lambda task: task == 3)
        assert sorted(done) == [-3, 0, 1, 2, 4, 5, 6, 7]
    assert deaths == [(3, "was killed by SIGSEGV (Segmentation fault)")]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process this way")
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_worker_takes_no_more_memory_than_it_may(jobs):
    with local.start(jobs, memory_gb=2.0) as run:
        assert list(run(take, [9_000_000_000])) == ["out of memory"]
        assert list(run(take, [1000])) == [1000]
    for none in (math.nan, math.inf, 1e30):
        with pytest.raises(ConfigError, match="GB of memory for a worker"), local.start(2, memory_gb=none):
            pass
    with pytest.raises(ConfigError, match=r"0\.1 GB of memory for a worker"), local.start(2, memory_gb=0.1):
        pass


def test_workers_do_not_run_the_script_that_started_them(tmp_path):
    script = tmp_path / "unguarded.py"
    script.write_text(
        "from fgbench.preparation.engines import local\n"
        "from pathlib import Path\n"
        "print('begun', flush=True)\n"
        "with local.start(2) as run:\n"
        "    print(sorted(run(len, ['a', 'bb', 'ccc'])))\n"
        "print(__spec__, Path(__file__).name)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["begun", "[1, 2, 3]", "None unguarded.py"]


def modules(_):
    return " ".join(sys.modules)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="workers are forked on Linux alone")
def test_several_workers_are_forked_with_what_they_need():
    """In a process of its own, whose first workers say what is imported."""
    program = (
        "from fgbench.preparation.engines import local; from tests.engines.test_local import modules\n"
        "with local.start(2) as run: print(*run(modules, [0, 1]), sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    first, second = (set(line.split()) for line in done.stdout.splitlines())
    assert first == second
    assert first >= {*local._STAGES, "av", "cv2", "numpy", "pandas", "pyarrow.parquet"}
    assert not first & {"dlib", "numba", "torch", "sklearn"}
