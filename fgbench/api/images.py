"""The image set of a work folder, its pixels read as they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np
import numpy.typing as npt

from fgbench.errors import ConfigError, ManifestError
from fgbench.records import SPLITS

if TYPE_CHECKING:
    import pandas as pd

Pixels = npt.NDArray[np.uint8]


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

    Raises:
        ConfigError: If there is no such part.
        ManifestError: If the manifests are missing or damaged.
    """

    def __init__(self, manifests: Path, part: str | None = None, *, copies: bool = True) -> None:
        import pandas as pd

        from fgbench.storage import open_table

        check_part(part)
        folder = manifests / "images"
        if not folder.is_dir():
            raise ManifestError(f"{folder} is missing", "run fgbench prepare")
        self._groups: list[tuple[Path, int]] = []  # file and number of its row group
        tables = []
        for name in SPLITS if part is None else (part,):
            for path in sorted(folder.glob(f"{name}-*.parquet")):
                with open_table(path) as file:
                    columns = [column for column in file.schema_arrow.names if column != "image"]
                    for group in range(file.num_row_groups):
                        table = file.read_row_group(group, columns=columns).to_pandas()
                        table["_group"], table["_row"] = len(self._groups), np.arange(len(table))
                        tables.append(table if copies else table[table["parent_id"].isna()])
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
    def __getitem__(self, index: slice) -> list[Pixels]: ...

    def __getitem__(self, index: int | slice) -> Pixels | list[Pixels]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        from fgbench.media.images import decode

        group, row = (int(number) for number in self._where[range(len(self))[index]])
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
        return f"<Images: {len(self)} pictures, {len(set(self.labels))} classes>"


def check_part(part: str | None) -> None:
    """Refuse what is no part.

    Raises:
        ConfigError: If it is neither a part nor ``None``.
    """
    if part is not None and part not in SPLITS:
        raise ConfigError(f"part {part!r}, expected one of {', '.join(SPLITS)}", "leave it out for all parts")
