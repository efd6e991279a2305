"""The server: its address, and its failures as errors that tell no token.

The token is that of ``huggingface_hub``: the environment variable ``HF_TOKEN``, or the file that
``hf auth login`` writes. It goes into headers alone; texts of errors are cleared of it, and errors are raised
without those that they come from, whose tracebacks could show requests.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fgbench.errors import ConfigError, FgbenchError, ResourceError, package_missing

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
_SECRET = re.compile(r"hf_[A-Za-z0-9_]{4,}|(?i:bearer)\s+\S+|(?<=://)[^/@\s]+@|(?<=\?)[^\s'\"]+")
_ADVICE = re.compile(r"For more information check: \S+")
_MOST_CHARACTERS = 300
_HINTS = {
    401: "log in (hf auth login, or HF_TOKEN) with a token that may read the repository, for push write it",
    403: "take a token that may read the repository, for push write it",
    404: "check the name, OWNER/NAME; private ones are found only with a token that may read them",
    413: "the server takes no file of this size",
    429: "wait some minutes, then run the same command again",
}
_AGAIN = "nothing was changed; run the same command again, later if the server is at fault"


def open_server(endpoint: str | None) -> HfApi:
    """Return the server's interface.

    Args:
        endpoint: Its address; ``None``: ``HF_ENDPOINT``, else the Hub.

    Raises:
        ConfigError: If it is no address, contains a password, or would get the token over a connection that
            others can read.
        DependencyError: If ``huggingface_hub`` is not installed.
    """
    try:
        from huggingface_hub import HfApi, constants, get_token
    except ModuleNotFoundError as error:
        raise package_missing("push and pull need", error.name, extra="hub") from error
    address = endpoint or os.environ.get("HF_ENDPOINT") or constants.ENDPOINT
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigError(
            f"endpoint {redacted(address)!r}, expected an address", "e.g. https://huggingface.co"
        )
    if parts.username is not None or parts.password is not None:
        raise ConfigError("the endpoint contains a name or password", "give the token as HF_TOKEN instead")
    if parts.scheme == "http" and host not in _LOOPBACK and get_token() is not None:
        raise ConfigError(
            f"endpoint {redacted(address)} has no encryption, and would get your token", "give one with https"
        )
    return HfApi(endpoint=address.rstrip("/"))


def require_token() -> None:
    """Raise a ConfigError if there is no token to push with."""
    from huggingface_hub import get_token

    if get_token() is None:
        raise ConfigError(
            "there is no token to push with", "hf auth login, or set the environment variable HF_TOKEN"
        )


@contextmanager
def quiet_bars() -> Iterator[None]:
    """Context without the progress bars of ``huggingface_hub``."""
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    if are_progress_bars_disabled():
        yield
        return
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Turn failures of the server and of the way to it into one clear error without secrets.

    Args:
        doing: What is being done, e.g. ``"push to me/faces"``.

    Raises:
        ConfigError: If the name of the repository is not valid.
        ResourceError: Otherwise.
    """
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    # Of the library that huggingface_hub sends with, whose name depends on its version.
    sending: type[Exception] = next(kind for kind in HfHubHTTPError.__mro__ if kind.__name__ == "HTTPError")
    failure: FgbenchError
    try:
        yield
        return
    except FgbenchError:
        raise
    except HFValidationError as error:
        failure = ConfigError(f"{doing}: {_short(error)}", "name it OWNER/NAME")
    except (OSError, ValueError, RuntimeError, sending) as error:
        status = _status(error)
        answer = f"the server says {status}: " if status is not None else ""
        failure = ResourceError(f"{doing} failed: {answer}{_short(error)}", _HINTS.get(status or 0, _AGAIN))
    raise failure from None


def redacted(text: str) -> str:
    """Return a text without tokens, passwords and the signed parts of addresses."""
    from huggingface_hub import get_token

    for secret in {get_token(), *(os.environ.get(name) for name in _TOKENS)}:
        if secret:
            text = text.replace(secret, "***")
    return _SECRET.sub("***", text)


def _status(error: BaseException) -> int | None:
    """Return the status that the server answered, also where another error was raised from it."""
    causes: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in causes:
        status = getattr(getattr(one, "response", None), "status_code", None)
        if isinstance(status, int):
            return status
        causes.append(one)
        one = one.__cause__
    return None


def _short(error: Exception) -> str:
    """Return what an error says, in one line."""
    text = " ".join(_ADVICE.sub("", redacted(str(error))).split()) or type(error).__name__
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]} ..."
