"""A system without what POSIX alone has: fgbench finds none of it, the libraries that it uses still do."""

import os
import subprocess
import sys
from pathlib import Path

MODULES = ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "crypt", "syslog", "posix", "readline")
"""Modules that Windows lacks."""

NAMES = {
    "os": (
        *(
            "O_NONBLOCK",
            "O_CLOEXEC",
            "O_NOCTTY",
            "O_NOFOLLOW",
            "O_DIRECTORY",
            "O_SYNC",
            "O_PATH",
            "fork",
            "forkpty",
        ),
        *(
            "getuid",
            "geteuid",
            "getgid",
            "getpgid",
            "setsid",
            "setpgid",
            "killpg",
            "nice",
            "sysconf",
            "statvfs",
        ),
        *(
            "fchmod",
            "fchown",
            "chown",
            "lchown",
            "mkfifo",
            "uname",
            "getloadavg",
            "pread",
            "pwrite",
            "sendfile",
        ),
        *("sched_getaffinity", "posix_fadvise", "posix_fallocate", "wait", "waitid", "sync", "fdatasync"),
    ),
    "signal": (
        *(
            "pthread_sigmask",
            "SIG_BLOCK",
            "SIG_SETMASK",
            "SIG_UNBLOCK",
            "SIGKILL",
            "SIGHUP",
            "SIGALRM",
            "SIGUSR1",
        ),
        *("alarm", "setitimer", "sigwait", "SIGCHLD", "SIGPIPE"),
    ),
}
"""What Windows lacks of modules that it has."""

_START = f"""
import builtins, multiprocessing.context, os, signal, sys
import asyncio, getpass, shutil, subprocess, tempfile, uuid  # they ask for some of it when they are imported

real = builtins.__import__
hidden = {{name: getattr(sys.modules[module], name) for module, names in {NAMES!r}.items() for name in names
          if hasattr(sys.modules[module], name)}}


class Without:
    def __init__(self, module, names):
        self.__dict__.update({{name: value for name, value in vars(module).items() if name not in names}})


without = {{module: Without(sys.modules[module], names) for module, names in {NAMES!r}.items()}}


def found(name, globals=None, locals=None, fromlist=(), level=0):
    asked_by = (globals or {{}}).get("__name__", "")
    if asked_by.partition(".")[0] == "fgbench":
        if name.partition(".")[0] in {MODULES!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
        if name in without:
            return without[name]
    return real(name, globals, locals, fromlist, level)


builtins.__import__ = found
multiprocessing.context.DefaultContext.get_all_start_methods = lambda self: ["spawn"]
import multiprocessing
multiprocessing.get_all_start_methods = lambda: ["spawn"]
"""


def run_elsewhere(folder: Path, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python as on another system; processes that it starts are there, too.

    Args:
        folder: An empty folder for the module by which Python starts.
        arguments: Of the interpreter.
        cwd: Current directory.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(_START)
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(folder)},
        cwd=cwd or folder,
        capture_output=True,
        text=True,
        check=False,
    )
