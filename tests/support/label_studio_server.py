"""A real server of Label Studio in its own environment: started, killed, started again; accounts and tokens.

The executable is named by ``FGBENCH_LABEL_STUDIO``, else it is that of ``.venv-label-studio``, which
``make .venv-label-studio/installed`` makes. An empty data base, whose making takes a minute, is copied: that
beside the executable, else one that is made once below ``~/.cache``. The server has a data folder of its own,
listens on loopback, and sends nothing to the outside: analytics and checks of versions are off, and its proxy
leads nowhere.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

EXECUTABLE = "FGBENCH_LABEL_STUDIO"
_INSTALLED = Path(__file__).parents[2] / ".venv-label-studio" / "bin" / "label-studio"
_START_S = 300.0
_PASSWORD = "drawn-faces-only"


def executable() -> Path | None:
    """The executable of Label Studio; ``None`` if there is none."""
    named = os.environ.get(EXECUTABLE)
    if named:
        return Path(named) if Path(named).is_file() else None
    is_whole = (_INSTALLED.parents[1] / "installed").is_file()  # written last
    return _INSTALLED if is_whole else None


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    nowhere = "http://127.0.0.1:9"
    return kept | {
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder),
        "CONVERTER_DOWNLOAD_RESOURCES": "false",
        "HTTP_PROXY": nowhere,
        "HTTPS_PROXY": nowhere,
        "NO_PROXY": "127.0.0.1",
    }


def _empty(command: Path) -> Path:
    """Data folder with an empty data base, made on first use."""
    beside = command.parents[1] / "empty"
    if beside.is_dir():
        return beside
    state = command.stat()
    identity = hashlib.sha256(f"{command.resolve()} {state.st_mtime_ns} {state.st_size}".encode()).hexdigest()
    made = Path.home() / ".cache" / "fgbench-label-studio" / identity[:16]
    if not made.is_dir():
        made.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=made.parent) as name:
            part = Path(name) / "empty"
            part.mkdir()
            arguments = [str(command), "version", "--data-dir", str(part)]
            quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            subprocess.run(arguments, check=True, env=_environment(part), timeout=_START_S, **quiet)
            with contextlib.suppress(OSError):  # another process was quicker
                part.rename(made)
    return made


class LabelStudio:
    """A server; use as a context.

    Args:
        command: The executable.
        folder: Its data folder.
    """

    def __init__(self, command: Path, folder: Path) -> None:
        self._command, self._folder = command, folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> LabelStudio:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        import httpx

        if not self._folder.exists():
            shutil.copytree(_empty(self._command), self._folder)
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(str(self._command), "start", "--no-browser", "--data-dir", str(self._folder)),
                    *("--internal-host", "127.0.0.1", "--port", str(self._port), "--log-level", "ERROR"),
                ],
                env=_environment(self._folder),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + _START_S
        while time.monotonic() < end and self._process.poll() is None:
            try:
                if httpx.get(f"{self.url}/health", trust_env=False).is_success:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        text = (self._folder / "server.log").read_text(errors="replace")[-2000:]
        self.kill()
        raise RuntimeError(f"Label Studio does not start: {text}")

    def kill(self) -> None:
        """Kill it and its children, as a crash does."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def sign_up(self, address: str) -> str:
        """Make an account, the first of which owns the server; returns a personal access token of it."""
        import httpx

        with httpx.Client(base_url=self.url, timeout=60, trust_env=False) as session:
            page = session.get("/user/signup/").text
            found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
            assert found is not None
            form = {"csrfmiddlewaretoken": found[1], "email": address, "password": _PASSWORD}
            answer = session.post("/user/signup/", data=form, headers={"Referer": self.url})
            assert answer.status_code == 302, answer.text
            headers = {"X-CSRFToken": session.cookies["csrftoken"], "Referer": self.url}
            token = session.post("/api/token/", json={}, headers=headers).json()["token"]
            assert isinstance(token, str)
            return token
