"""Errors that fgbench raises, and the exit code of each.

Every error says what it got, what was expected and what to do next: the first two in the message, the last
in ``hint``. Library code raises the leaves; the command line prints them and exits with :func:`exit_code`.
Messages name options of the command line; an error as text names the arguments of Python too.
"""

from __future__ import annotations

from fgbench.python_calls import python_calls


class FgbenchError(Exception):
    """Base of all errors that fgbench raises on purpose.

    Args:
        message: The fault, and the expected state.
        hint: What the user can do next.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type[FgbenchError], tuple[str, str]]:
        return type(self), (self.message, self.hint)

    @property
    def sentence(self) -> str:
        """The message, after the name of the argument where it is of one."""
        return self.message

    def __str__(self) -> str:
        return "\n".join(self._python_lines())

    def _python_lines(self) -> list[str]:
        """Message and hint as Python shows them: with the calls that options in them stand for."""
        lines = [self.sentence, *([self.hint] if self.hint else [])]
        calls = [] if "in python" in "".join(lines).lower() else python_calls("\n".join(lines))
        return [*lines[:-1], f"{lines[-1]} (in Python: {', '.join(calls)})"] if calls else lines

    def _render_traceback_(self) -> list[str]:
        """Lines that a notebook shows: those of the user's own code, then message and hint; all with
        ``FGBENCH_DEBUG``."""
        import os
        import traceback
        from pathlib import Path

        own = str(Path(__file__).parent)
        is_whole = bool(os.environ.get("FGBENCH_DEBUG"))
        frames = [
            frame
            for frame in traceback.extract_tb(self.__traceback__)
            if is_whole
            or not (frame.filename.startswith(own) or f"{os.sep}IPython{os.sep}" in frame.filename)
        ]
        where = [line.rstrip() for line in traceback.format_list(frames)]
        message, *hint = self._python_lines()
        return [*where, f"{type(self).__name__}: {message}", *[f"  {line}" for line in hint]]


class ConfigError(FgbenchError):
    """A recipe, an option or a name is not valid."""


class ArgumentError(ConfigError):
    """An argument of a call is not valid, whatever the data; the command line takes it for wrong use.

    Args:
        message: The fault, and the expected value.
        hint: What the user can do next.
        argument: Name of the argument.
    """

    def __init__(self, message: str, hint: str = "", *, argument: str = "") -> None:
        super().__init__(message, hint)
        self.argument = argument

    def __reduce__(self) -> tuple[type[FgbenchError], tuple[str, str], dict[str, str]]:  # type: ignore[override]
        return type(self), (self.message, self.hint), {"argument": self.argument}

    @property
    def sentence(self) -> str:
        """The message after the name of the argument, as Python has it."""
        return f"{self.argument}: {self.message}" if self.argument else self.message


class DatasetError(FgbenchError):
    """The input data set is absent, or its layout or annotation files are not as documented."""


class MediaError(FgbenchError):
    """A video or an image cannot be read.

    Args:
        message: The fault of the file.
        hint: What the user can do next.
        reason: Short stable word for reject tables, e.g. ``"unreadable"``.
    """

    def __init__(self, message: str, hint: str = "", *, reason: str = "unreadable") -> None:
        super().__init__(message, hint)
        self.reason = reason

    def __reduce__(self) -> tuple[type[FgbenchError], tuple[str, str], dict[str, str]]:  # type: ignore[override]
        return type(self), (self.message, self.hint), {"reason": self.reason}


class RejectRateError(FgbenchError):
    """More items of a stage were rejected than the recipe allows."""


class ManifestError(FgbenchError):
    """A manifest is missing, incomplete or differs from its index."""


class ResourceError(FgbenchError):
    """Disk full, folder not writable, device absent, out of memory."""


class DependencyError(FgbenchError):
    """An optional package or a model file is not installed."""


def package_missing(
    needing: str, package: str | None, *, extra: str = "train", install: str = ""
) -> DependencyError:
    """Return the error on an optional package that is not installed.

    Args:
        needing: The part that needs it with its verb, e.g. ``"networks need"``.
        package: Name of the package.
        extra: Extra of fgbench that installs it.
        install: Name to install it by, where no extra does.
    """
    return DependencyError(
        f"{needing} a package that is not installed ({package})",
        f"pip install {install}" if install else f"pip install 'fgbench[{extra}]'",
    )


class WorkerError(FgbenchError):
    """A worker process died or failed in a way that is no fault of an item."""


class LeakError(FgbenchError):
    """Parts of a data set leak into each other."""


class ShardError(FgbenchError):
    """Other shards of a preparation have not done what this one needs."""


EXIT_CODES: dict[type[FgbenchError], int] = {
    ConfigError: 3,
    DatasetError: 4,
    MediaError: 5,
    RejectRateError: 6,
    ManifestError: 7,
    ResourceError: 8,
    DependencyError: 9,
    WorkerError: 10,
    LeakError: 11,
    ShardError: 12,
}
"""Exit code per error; 0 is success, 1 an unexpected failure, 2 wrong use, 130 an interrupt by the user."""


def exit_code(error: FgbenchError) -> int:
    """Exit code of an error: that of its nearest listed class (1 for a bare :class:`FgbenchError`)."""
    return next((EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES), 1)
