"""Access to a server: its address and a token, neither of which is written anywhere.

The token is that of an account (Account & Settings): a personal access token, or a legacy one.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from fgbench.errors import ArgumentError
from fgbench.files.file_errors import readable

TOKEN = "FGBENCH_ANNOTATE_TOKEN"
"""Environment variable with the token."""
_MOST = 4096


def server_url(url: str) -> str:
    """Return the address of a server without a slash at its end.

    Raises:
        ArgumentError: If it is no address of one, or has a name and password in it.
    """
    try:
        parts = urlsplit(url)
        is_sound = bool(parts.scheme in ("http", "https") and parts.hostname and parts.port != 0)
    except ValueError:
        is_sound = False
    if not is_sound or not url.isprintable() or " " in url:
        raise ArgumentError(
            "is no address of a server, expected http:// or https:// and a host",
            "e.g. http://localhost:8080",
            argument="url",
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ArgumentError(
            "holds a name, a password or a query, expected the address alone",
            f"the token comes from --token-file or {TOKEN}",
            argument="url",
        )
    return url.rstrip("/")


def is_open_to_others(url: str) -> bool:
    """Return whether a token sent to an address can be read on its way: without TLS, to another machine."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1")


def read_token(path: Path | None) -> str:
    """Return the token of a file, or that of the environment variable :data:`TOKEN`.

    Raises:
        ArgumentError: If there is none, or it is no token; the message does not show it.
    """
    if path is None:
        text, where = os.environ.get(TOKEN, ""), TOKEN
        if not text.strip():
            raise ArgumentError(
                f"not given, and the environment variable {TOKEN} is not set",
                "put the token of your account (Account & Settings) into a file that only you can read",
                argument="token_file",
            )
    else:
        where = str(path)
        if not _is_there(path):
            # Not shown: it may be the token itself.
            raise ArgumentError(
                "no file of this name",
                f"name the file that holds the token; the token itself may stand in {TOKEN}",
                argument="token_file",
            )
        try:
            with readable(path), path.open("rb") as file:
                text = file.read(_MOST + 1).decode("ascii")
        except UnicodeDecodeError:
            text = ""
    token = text.strip()
    if (
        not token
        or len(token) > _MOST
        or not token.isascii()
        or any(not "!" <= sign <= "~" for sign in token)
    ):
        raise ArgumentError(
            f"{where} holds no token, expected one word",
            "copy the token of your account (Account & Settings) anew",
            argument="token_file",
        )
    return token


def _is_there(path: Path) -> bool:
    """Whether there is something to read at a path, e.g. a file or the pipe of a shell."""
    try:
        return path.exists() and not path.is_dir()
    except (OSError, ValueError):  # a name longer than the file system allows
        return False
