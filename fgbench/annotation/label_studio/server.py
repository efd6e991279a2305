"""A server of Label Studio, by its REST interface.

``label-studio-sdk`` is not used: versions 2.0.23 to 2.1.2 hold OpenCV below 4.13. Beside the pins of fgbench,
which have OpenCV 5, pip takes 2.0.13 and more than twenty packages that fgbench has no use for, among them
``opencv-python``, which overwrites files of ``opencv-python-headless``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from fgbench.errors import ResourceError, package_missing
from fgbench.printable import printable_name
from fgbench.storage import written

_TRIES = 5
_FIRST_WAIT_S = 0.5
_CONNECT_S, _READ_S = 10.0, 120.0
_AGAIN = frozenset({429, 502, 503, 504})
_SHOWN = 300
_CONTINUE = "the same command continues where it was"


class NoAnswerError(ResourceError):
    """The server was not reached, or did not answer in time: what was asked for may have been done."""


class Server:
    """A server, and an account on it.

    Args:
        url: Its address.
        token: Token of the account: a personal access token (with two dots) or a legacy one.
        wait: Called with the seconds to wait between tries.

    Raises:
        DependencyError: If ``httpx`` is not installed.
    """

    def __init__(self, url: str, token: str, *, wait: Callable[[float], None] = time.sleep) -> None:
        try:
            import httpx
        except ImportError as error:
            raise package_missing("annotate push and pull need", error.name, extra="annotate") from error
        self._httpx = httpx
        self._token, self._wait = token, wait
        self._is_personal = token.count(".") == 2
        self._header: str | None = None if self._is_personal else f"Token {token}"
        self._at = url
        timeout = httpx.Timeout(_READ_S, connect=_CONNECT_S)
        # No redirect is followed: the token would go along.
        self._client = httpx.Client(base_url=url, timeout=timeout, follow_redirects=False)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    @property
    def name(self) -> str:
        """Scheme, host and port of the server, for messages."""
        parts = urlsplit(self._at)
        return printable_name(f"{parts.scheme}://{parts.netloc}")

    def get(self, path: str, **params: str | int) -> Any:
        """Return the JSON that the server has at a path; tried again while it is down.

        Raises:
            ResourceError: If it cannot be reached, refuses, or answers with something else.
        """
        return self._again(lambda: self._json(self._send("GET", path, params=params)))

    def post(self, path: str, value: Any, **params: str | int) -> Any:
        """Send JSON, once, and return what the server answers; errors as of :meth:`get`."""
        return self._json(self._send("POST", path, params=params, json=value))

    def patch(self, path: str, value: Any) -> Any:
        """Change what is at a path; errors as of :meth:`get`."""
        return self._again(lambda: self._json(self._send("PATCH", path, json=value)))

    def delete(self, path: str) -> None:
        """Delete what is at a path; errors as of :meth:`get`."""
        self._send("DELETE", path)

    def upload(self, path: str, name: str, data: bytes, kind: str, **params: str | int) -> Any:
        """Send a file, once; errors as of :meth:`get`."""
        return self._json(self._send("POST", path, params=params, files={"file": (name, data, kind)}))

    def download(self, path: str, target: Path, **params: str | int) -> None:
        """Write what is at a path to a file, which appears whole or not at all; errors as of :meth:`get`."""

        def once() -> None:
            with self._explained(), written(target) as temporary:
                request = self._client.build_request("GET", path, params=params, headers=self._headers())
                response = self._client.send(request, stream=True)
                try:
                    if not response.is_success:
                        response.read()
                    self._check(response)
                    with temporary.open("wb") as file:
                        for chunk in response.iter_bytes():
                            file.write(chunk)
                finally:
                    response.close()

        self._again(once)

    def _again(self, work: Callable[[], Any]) -> Any:
        """Do what may be done twice, and try it again while the server does not answer."""
        for attempt in range(_TRIES):
            try:
                return work()
            except NoAnswerError:
                if attempt == _TRIES - 1:
                    raise
                self._wait(_FIRST_WAIT_S * 2**attempt)
        raise AssertionError("unreachable")

    def _send(self, method: str, path: str, **more: Any) -> Any:
        with self._explained():
            response = self._client.request(method, path, headers=self._headers(), **more)
            if response.status_code == 401 and self._is_personal and self._header is not None:
                self._header = None  # an access token lasts minutes
                response = self._client.request(method, path, headers=self._headers(), **more)
        self._check(response)
        return response

    def _headers(self) -> Mapping[str, str]:
        if self._header is None:
            response = self._client.post("/api/token/refresh/", json={"refresh": self._token})
            self._check(response)
            value = self._json(response)
            access = value.get("access") if isinstance(value, dict) else None
            if not isinstance(access, str) or not access.isascii() or not access.isprintable():
                raise ResourceError(f"{self.name} gives no access for the token", "make a new token")
            self._header = f"Bearer {access}"
        return {"Authorization": self._header}

    def _explained(self) -> _Explained:
        return _Explained(self._httpx, self.name)

    def _check(self, response: Any) -> None:
        """Do nothing where the server did what it was asked for.

        Raises:
            ResourceError: If it did not.
        """
        status = response.status_code
        if response.is_success:
            return
        if 300 <= status < 400:
            other = printable_name(self._plain(response.headers.get("location", "elsewhere"))[:_SHOWN])
            raise ResourceError(
                f"{self.name} redirects to {other}, which is not followed: the token would go along",
                "give the address that it leads to with --url, if you trust it",
            )
        if status in _AGAIN:
            raise NoAnswerError(f"{self.name} is not ready (status {status})", _CONTINUE)
        detail = self._detail(response)
        if status in (401, 403):
            raise ResourceError(
                f"{self.name} refuses the token (status {status}){detail}",
                "copy the token of your account anew (Account & Settings); where legacy tokens are disabled, "
                "take a personal access token",
            )
        if status == 404:
            raise ResourceError(
                f"{self.name} has nothing at {urlsplit(str(response.url)).path} (status 404)",
                "is this the address of Label Studio? the project may have been deleted meanwhile",
            )
        raise ResourceError(
            f"{self.name} refuses {response.request.method} {urlsplit(str(response.url)).path} "
            f"(status {status}){detail}",
            _CONTINUE,
        )

    def _detail(self, response: Any) -> str:
        """Text of the server on an error, without the token."""
        try:
            value = response.json()
            parts = (
                [value.get("detail"), value.get("validation_errors")] if isinstance(value, dict) else [value]
            )
            text = "; ".join(part if isinstance(part, str) else json.dumps(part) for part in parts if part)
        except (ValueError, RecursionError):
            return ""
        return f": {printable_name(self._plain(text)[:_SHOWN])}" if text else ""

    def _plain(self, text: str) -> str:
        """Text of the server without the token, as it is, in JSON or in an address."""
        for secret in {self._token, (self._header or "").partition(" ")[2]} - {""}:
            for form in (secret, json.dumps(secret)[1:-1], quote(secret, safe=""), quote(secret)):
                text = text.replace(form, "...")
        return text

    def _json(self, response: Any) -> Any:
        try:
            return response.json()
        except (ValueError, RecursionError) as error:
            raise ResourceError(
                f"{self.name} answers with something else than JSON", "is this the address of Label Studio?"
            ) from error

    def number_of(self, item: Any) -> int:
        """Return the number of an item that the server listed or made.

        Raises:
            ResourceError: If it has none.
        """
        number = item.get("id") if isinstance(item, dict) else None
        if isinstance(number, bool) or not isinstance(number, int):
            raise ResourceError(
                f"{self.name} names an item without its number", "is this the address of Label Studio?"
            )
        return number


class _Explained:
    """Context in which failures of the connection become one clear error."""

    def __init__(self, httpx: Any, name: str) -> None:
        self._httpx, self._name = httpx, name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, self._httpx.TimeoutException):
            raise NoAnswerError(f"{self._name} does not answer in time", _CONTINUE) from None
        if isinstance(error, self._httpx.HTTPError | self._httpx.InvalidURL):
            what = type(error).__name__
            raise NoAnswerError(
                f"{self._name} cannot be reached ({what})", f"is the server running? {_CONTINUE}"
            ) from None


def paged(server: Server, path: str, **params: str | int) -> Iterator[dict[str, Any]]:
    """Yield all items of a list that the server gives in pages.

    Raises:
        ResourceError: As of :meth:`Server.get`.
    """
    page, seen = 1, 0
    while True:
        value = server.get(path, page=page, **params)
        items = value.get("results", value.get("tasks")) if isinstance(value, dict) else value
        if not isinstance(items, list):
            raise ResourceError(
                f"{server.name} gives no list at {path}", "is this the address of Label Studio?"
            )
        yield from (item for item in items if isinstance(item, dict))
        seen += len(items)
        total = value.get("count", value.get("total")) if isinstance(value, dict) else seen
        if not items or not isinstance(total, int) or seen >= total:
            return
        page += 1
