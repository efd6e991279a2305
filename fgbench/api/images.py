"""The image set of a work folder, its pixels read as they are asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from fgbench.api.arguments import is_whole, pairs, path_of, shown, switch
from fgbench.errors import ConfigError, ManifestError
from fgbench.naming import counted
from fgbench.records import SPLITS

if TYPE_CHECKING:
    import pandas as pd

Pixels = npt.NDArray[np.uint8]

_SHOWN = 24  # pictures on the sheet of a notebook


class Images(Sequence[Pixels]):
    """The pictures of one part, or of all parts, as a sequence of (S, S, 3) uint8 RGB arrays.

    ``table`` is held in memory, pixels are not: they are read a few hundred pictures at a time, so that going
    through the sequence in its order reads every file once.

    Attributes:
        table: A row per picture, in the order of the sequence; the columns of the manifests ``images`` but
            for the pixels.

    Args:
        manifests: Folder of the manifests.
        part: ``"train"``, ``"val"`` or ``"test"``; ``None`` for all.
        copies: Whether augmented copies are among them.
        roles: Part of every clip in a fold; ``None``: the parts of the data set. Clips without one are left
            out.

    Raises:
        ConfigError: If there is no such part, or an argument is of another type.
        ManifestError: If the manifests are missing or damaged.
    """

    def __init__(
        self,
        manifests: str | os.PathLike[str],
        part: str | None = None,
        *,
        copies: bool = True,
        roles: Mapping[str, str] | None = None,
    ) -> None:
        import pandas as pd

        from fgbench.storage import open_table

        check_part(part)
        switch("copies", copies)
        roles = None if roles is None else pairs("roles", roles, example="roles=None")
        folder = path_of("manifests", manifests, example="work.path / 'manifests'") / "images"
        if not folder.is_dir():
            raise ManifestError(f"{folder} is missing", "run fgbench prepare")
        self._groups: list[tuple[Path, int]] = []  # file and number of its row group
        tables = []
        for name in SPLITS if part is None or roles is not None else (part,):
            for path in sorted(folder.glob(f"{name}-*.parquet")):
                with open_table(path) as file:
                    columns = [column for column in file.schema_arrow.names if column != "image"]
                    for group in range(file.num_row_groups):
                        table = file.read_row_group(group, columns=columns).to_pandas()
                        table["_group"], table["_row"] = len(self._groups), np.arange(len(table))
                        tables.append(_wanted(table, part, copies=copies, roles=roles))
                        self._groups.append((path, group))
        joined = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame({"_group": [], "_row": []})
        self._where: npt.NDArray[np.int64] = joined[["_group", "_row"]].to_numpy(np.int64)
        self.table: pd.DataFrame = joined.drop(columns=["_group", "_row"])
        self._read: tuple[int, list[bytes]] = -1, []

    def __len__(self) -> int:
        return len(self._where)

    @overload
    def __getitem__(self, index: int) -> Pixels: ...

    @overload
    def __getitem__(self, index: slice | Sequence[int] | npt.NDArray[Any]) -> list[Pixels]: ...

    def __getitem__(self, index: Any) -> Pixels | list[Pixels]:
        """Return a picture by its number, or a list of those of a slice, of numbers, or of a mask.

        Raises:
            ConfigError: If it is none of these.
            IndexError: If there is no such picture.
            MediaError: If a picture cannot be decoded.
        """
        if isinstance(index, slice):
            return [self[number] for number in range(*_bounds(index, len(self)))]
        if not is_whole(index):
            return [self[number] for number in _numbers(index, len(self))]
        from fgbench.media.images import decode

        group, row = (int(number) for number in self._where[range(len(self))[int(index)]])
        read = self._read  # another thread may change it meanwhile
        if read[0] != group:
            read = self._read = group, self._encoded(group)
        return decode(read[1][row])

    def _encoded(self, group: int) -> list[bytes]:
        from fgbench.storage import open_table

        path, number = self._groups[group]
        with open_table(path, ["image"]) as file:
            rows = file.read_row_group(number, columns=["image"]).column("image").to_pylist()
        return [row["bytes"] for row in rows]

    def __iter__(self) -> Iterator[Pixels]:
        return (self[number] for number in range(len(self)))

    @property
    def labels(self) -> list[str]:
        """The class of every picture."""
        return self.table["label"].tolist() if len(self) else []

    def __repr__(self) -> str:
        pictures, classes = counted(len(self), "picture"), counted(len(set(self.labels)), "class", "classes")
        return f"<Images: {pictures}, {classes}>"

    def _repr_html_(self) -> str:
        from fgbench.api.showing import contact_sheet

        first = range(min(len(self), _SHOWN))
        return contact_sheet(repr(self)[1:-1], [(self[n], self.labels[n]) for n in first])


def _wanted(
    table: pd.DataFrame, part: str | None, *, copies: bool, roles: Mapping[str, str] | None
) -> pd.DataFrame:
    """Rows of a table of pictures that are asked for, with the part that they have in the fold."""
    if not copies:
        table = table[table["parent_id"].isna()]
    if roles is None:
        return table
    table = table.assign(split=table["clip_id"].map(roles))
    return table[table["split"].notna() if part is None else table["split"] == part]


def _bounds(index: slice, n: int) -> tuple[int, int, int]:
    try:
        return index.indices(n)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"slice {index}: {error}", "give whole numbers, e.g. images[:10]") from error


def _numbers(index: Any, n: int) -> list[int]:
    """Return the numbers of pictures that a list, an array or a mask names.

    Raises:
        ConfigError: If it names none.
    """
    values = np.asarray(index) if isinstance(index, Sequence) or hasattr(index, "__array__") else None
    if values is not None and not isinstance(index, str | bytes) and values.ndim == 1:
        if values.dtype == bool and len(values) == n:
            return np.flatnonzero(values).tolist()
        if np.issubdtype(values.dtype, np.integer) or not len(values):
            return [int(number) for number in values]
    raise ConfigError(
        f"picture {shown(index)}, expected a number, a slice, numbers, or a mask of {n} truth values",
        "e.g. images[0], images[:10], images[images.table['label'] == 'anger']",
    )


def check_part(part: str | None) -> None:
    """Refuse what is no part.

    Raises:
        ConfigError: If it is neither a part nor ``None``.
    """
    if part is not None and (not isinstance(part, str) or part not in SPLITS):
        raise ConfigError(
            f"part {shown(part)}, expected one of {', '.join(SPLITS)}", "leave it out for all parts"
        )
