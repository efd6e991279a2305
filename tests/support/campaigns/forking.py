"""A process that has fgbench imported and forks once per command: hundreds of commands without start-up time.

Reads one JSON object a line from its standard input (see
:class:`tests.support.campaigns.commands.Commands`), answers with one JSON object a line. While a command
runs, the memory of all its processes is watched.
"""

from __future__ import annotations

import faulthandler
import gc
import importlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

PRELOADED = (
    "fgbench.cli.app",
    "fgbench.preparation.prepare",
    "fgbench.preparation.stages.publish",
    "cv2",
    "av",
    "dlib",
    "numba",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "sklearn.svm",
    "sklearn.cluster",
    "matplotlib.figure",
    "torch",
    "torch.utils.tensorboard",
    "accelerate",
    "safetensors.torch",
    "fgbench.training.loop",
)
"""What is imported once. Nothing of it starts threads or reads the data before a command runs."""

LOOK_S = 0.004
WEIGH_S = 0.05
LINGER_S = 30.0
"""Time that processes of a command may take to end after it."""


def main() -> None:
    """Serve commands until the input ends."""
    for name in PRELOADED:
        importlib.import_module(name)
    sys.path[:] = [entry for entry in sys.path if entry != str(Path(__file__).parent)]
    gc.freeze()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        answers.write(json.dumps(_serve(json.loads(line))) + "\n")
        answers.flush()


def _serve(order: dict[str, Any]) -> dict[str, Any]:
    begin = time.monotonic()
    child = os.fork()
    if child == 0:
        _become(order)
    stopped, weight, weighed, kill = "", 0.0, 0.0, order["kill_after_s"]
    while True:
        ended, status, usage = os.wait4(child, os.WNOHANG)
        now = time.monotonic() - begin
        if ended:
            break
        if now - weighed > WEIGH_S:
            weighed, weight = now, max(weight, _heaviest_mb(child))
            if weight > order["memory_mb"] and not stopped:
                stopped = "memory"
                _kill(child, group=True)
        if kill is not None and now >= kill:
            kill = None
            stopped = stopped or "kill"
            _kill(child, group=order["kill_group"])
        if now > order["limit_s"] and not stopped:
            stopped = "time"
            os.kill(child, signal.SIGABRT)  # faulthandler tells where it was
            time.sleep(0.2)
            _kill(child, group=True)
        time.sleep(LOOK_S)
    lingering = _await_rest(child)
    return {
        "status": os.waitstatus_to_exitcode(status),
        "stopped": stopped,
        "seconds": now,
        "peak_mb": max(weight, usage.ru_maxrss / 1024),
        "lingering": lingering,
    }


def _kill(leader: int, *, group: bool) -> None:
    """Kill a process, or its session: it may be so young that it has none yet, or all may have ended."""
    for kill in (os.killpg, os.kill) if group else (os.kill,):
        try:
            kill(leader, signal.SIGKILL)
        except ProcessLookupError:
            continue
        return


def _become(order: dict[str, Any]) -> None:
    """The child: a session of its own, its streams, its folder, and the command."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    for number, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, order["stdout"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        (2, order["stderr"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    ):
        descriptor = os.open(path, flags, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(order["cwd"])
    os.environ.update(order["environment"])
    os.environ.pop("FGBENCH_DEBUG", None)
    faulthandler.enable()
    sys.argv = [
        "fgbench",
        *(argument.encode().decode("utf-8", "surrogateescape") for argument in order["arguments"]),
    ]
    code = 1
    try:
        from fgbench.cli.app import main as command

        command()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        _finish(code)


def _finish(code: int) -> None:
    """End as an interpreter does: what was registered for the end runs, the streams are flushed."""
    import atexit
    import threading

    try:
        threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _heaviest_mb(leader: int) -> float:
    """Resident memory of the heaviest process of a session, MB."""
    actual = [0.0]
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                fields = (process / "stat").read_bytes().rsplit(b")", 1)[1].split()
            except OSError:
                continue
            if int(fields[3]) == leader:
                actual.append(int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 2**20)
    return max(actual)


def _await_rest(leader: int) -> bool:
    """Wait until no process of the session is left; whether any had to be ended."""
    end = time.monotonic() + LINGER_S
    while _heaviest_mb(leader) > 0:
        if time.monotonic() > end:
            _kill(leader, group=True)
            return True
        time.sleep(0.02)
    return False


if __name__ == "__main__":
    main()
