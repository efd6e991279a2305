"""Preparations of work folders that are kept in a storage: its copy here is brought to its state before, and
what was made goes there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fgbench.errors import ConfigError, FgbenchError, ResourceError
from fgbench.naming import shown
from fgbench.preparation.markers import REJECTS
from fgbench.remote.mirrors import url_of_mirror
from fgbench.remote.work_copies import WorkCopy
from fgbench.workfolders.folder import mark
from fgbench.workfolders.layout import MANIFESTS

_TABLES_OF_CLIPS = ("ingest", "consensus", "split")
"""Stages whose rows are read by runs with nothing to do, too."""


def is_read_always(name: str) -> bool:
    """Whether a file of a work folder is read by every preparation, by its path there: what records finished
    work, and tables with a row for each clip or less. Not so faces, frames and features."""
    folder, _, rest = name.partition("/")
    if not name.endswith(".parquet"):
        return True
    if folder == MANIFESTS:
        return "/" not in rest
    return rest.partition("/")[0] in _TABLES_OF_CLIPS or name.endswith(f".{REJECTS}.parquet")


def is_read_by_methods(name: str) -> bool:
    """Whether a file of a work folder is read by other commands than ``prepare``, by its path there."""
    return is_read_always(name) or name.startswith(f"{MANIFESTS}/")


def refuse_same_place(copy: WorkCopy | None, root: Path) -> None:
    """Do nothing where the work folder and the data set are apart, or not both in a storage.

    Raises:
        ConfigError: If one lies in the other: listings would mix them.
    """
    url = None if copy is None else url_of_mirror(root)
    if copy is None or url is None:
        return
    work, data = f"{copy.url}/", f"{url}/"
    if not work.startswith(data) and not data.startswith(work):
        return
    raise ConfigError(
        f"the work folder {shown(copy.url)} and the data set {shown(url)} are one folder, or one lies in the "
        "other; expected two apart",
        "name another work folder, e.g. one beside the data: --workdir " + shown(f"{url}-work"),
    )


@contextmanager
def in_step(copy: WorkCopy | None, *, force_unlock: bool) -> Iterator[None]:
    """Hold the work folder in the storage, with the copy in its state; at the end it has that of the copy.

    After an error, results that are whole are sent as well; the manifests are not.

    Args:
        copy: The copy; ``None``: the work folder is a folder of this machine, and nothing is done.
        force_unlock: Whether a lease is broken first that a dead process of another machine has left.

    Raises:
        ConfigError: If what is in the storage is no work folder.
        ResourceError: If another process holds it, or the storage does not answer.
    """
    if copy is None:
        yield
        return
    with copy.held(force_unlock=force_unlock):
        copy.pull(is_read_always)
        mark(copy.workdir)
        copy.begin()
        try:
            yield
        except ResourceError:  # perhaps of the storage itself, which is not asked again
            raise
        except Exception:
            with suppress(FgbenchError):
                copy.send_results()
            raise
        copy.finish()
