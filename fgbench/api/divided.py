"""Clips, faces or pictures of a work folder by what they are in a fold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.api.arguments import fold_of, names_of
from fgbench.api.images import Images, check_part
from fgbench.errors import ConfigError, ManifestError
from fgbench.workfolders.layout import MANIFESTS

if TYPE_CHECKING:
    import pandas as pd

    from fgbench.runs.division import Division

_PICTURE = "image"


class Divided:
    """Tables and pictures of a work folder, all or those of a part.

    A data set of k folds has no parts of its own: each fold is tested once, while the next one, or some of
    the training persons, are the validation part, and the rest is trained on. There a part is asked for
    together with a fold.
    """

    path: Path
    _index: dict[str, Any]

    @cached_property
    def _division(self) -> Division:
        from fgbench.runs.division_reading import read_division

        return read_division(self.path, self._index, keep=False)

    @property
    def folds(self) -> tuple[str, ...]:
        """Names of the folds, ``"1"`` to the last; ``"0"`` alone where the data set is divided into parts.

        Raises:
            DatasetError: If the protocol divides by what is not known of all clips.
            ManifestError: If the manifests are damaged.
        """
        return self._division.folds

    @cached_property
    def clips(self) -> pd.DataFrame:
        """A row per clip: id, path, label, person, part, and what was measured (table ``clips`` of the
        manifests); of data sets of k folds also ``fold``, in which the clip is tested."""
        rows = self._table([self.path / MANIFESTS / "clips.parquet"])
        if not self._division.n_folds:
            return rows
        return rows.assign(fold=rows["clip_id"].map(dict(self._division.fold_of)))

    @cached_property
    def votes(self) -> pd.DataFrame:
        """A row per vote on a clip that could be read, those on clips that are not settled too: answer,
        class, confidence, key frame, time, and the label that the clip got (table ``votes`` of the
        manifests).

        Raises:
            ManifestError: If there is no such table: the data set has no votes, or an earlier version of
                fgbench prepared it.
        """
        path = self.path / MANIFESTS / "votes.parquet"
        if not path.exists():
            raise ManifestError(
                f"{path.parent} has no votes.parquet: the data set has no votes, or an earlier version of "
                "fgbench prepared it",
                "with votes.csv in its data root, run fgbench prepare again",
            )
        return self._table([path])

    def clips_in(self, part: str | None = None, *, fold: str | int | None = None) -> pd.DataFrame:
        """Return the clips of a part; rows as of :attr:`clips`, ``split`` being the part in the fold.

        Args:
            part: ``"train"``, ``"val"`` or ``"test"``; ``None`` for all.
            fold: One of :attr:`folds`; needed of a part of a data set of k folds.

        Raises:
            ConfigError: If there is no such part or fold, or a fold is needed.
            ManifestError: If the manifests are missing or damaged.
        """
        roles = self._roles(part, fold)
        rows = self.clips if roles is None else self.clips.assign(split=self.clips["clip_id"].map(roles))
        return _in_part(rows, part, has_roles=roles is not None)

    def faces(
        self,
        part: str | None = None,
        *,
        columns: Sequence[str] | None = None,
        fold: str | int | None = None,
    ) -> pd.DataFrame:
        """Return a row per sampled frame: status, box, landmarks, pose (table ``faces``), label and part of
        its clip.

        Args:
            part: ``"train"``, ``"val"`` or ``"test"``; ``None`` for all.
            columns: Those wanted; ``None`` for all but the aligned face itself (``image``, encoded).
            fold: One of :attr:`folds`; needed of a part of a data set of k folds.

        Raises:
            ConfigError: If there is no such part, column or fold, or a fold is needed.
            ManifestError: If the manifests are missing or damaged.
        """
        roles = self._roles(part, fold)
        wanted = names_of("columns", columns, example="columns=['clip_id', 'status']")
        files = sorted((self.path / MANIFESTS / "faces").glob("*.parquet"))
        rows = self._table(files, wanted)
        own = self.clips.set_index("clip_id")
        clip_ids = rows["clip_id"] if "clip_id" in rows else self._table(files, ["clip_id"])["clip_id"]
        split = clip_ids.map(own["split"] if roles is None else roles)
        rows = rows.assign(label=clip_ids.map(own["label"]), split=split)
        return _in_part(rows, part, has_roles=roles is not None)

    def images(
        self, part: str | None = None, *, fold: str | int | None = None, copies: bool = False
    ) -> Images:
        """Return the image set of a part: aligned pictures as arrays, read as they are asked for.

        Args:
            part: ``"train"``, ``"val"`` or ``"test"``; ``None`` for all.
            fold: One of :attr:`folds`; needed of a part of a data set of k folds.
            copies: Whether augmented copies of training pictures are among them.

        Raises:
            ConfigError: If there is no such part or fold, or a fold is needed.
            ManifestError: If the manifests are missing or damaged.
        """
        return Images(self.path / MANIFESTS, part, copies=copies, roles=self._roles(part, fold))

    @cached_property
    def rejects(self) -> pd.DataFrame:
        """A row per clip that could not be used: stage, reason, detail."""
        return self._table([self.path / MANIFESTS / "rejects.parquet"])

    def _roles(self, part: str | None, fold: str | int | None) -> Mapping[str, str] | None:
        """Return the part of every clip in a fold; ``None`` where no fold is named nor needed.

        Raises:
            ConfigError: If there is no such part or fold, or a fold is needed.
        """
        from fgbench.runs.samples import clip_samples

        check_part(part)
        name = fold_of(fold)
        division = self._division
        if name is None:
            if part is not None and division.n_folds:
                raise ConfigError(
                    f"part {part!r} without a fold, and the data set has {division.n_folds} folds in place "
                    "of parts",
                    f"name a fold too: fold=1; work.folds are {', '.join(division.folds)}",
                )
            return None
        if name not in division.folds:
            raise ConfigError(
                f"no fold {name!r}, expected one of {', '.join(division.folds)}",
                "leave fold out for all clips" if division.n_folds else "the data set is divided into parts",
            )
        divided = division.divide(clip_samples(self.path / MANIFESTS), name)
        return {sample.clip_id: sample.part for sample in divided}

    def _table(self, files: Iterable[Path], columns: Sequence[str] | None = None) -> pd.DataFrame:
        import pandas as pd
        import pyarrow.parquet as pq

        from fgbench.storage import read_table

        tables = []
        for path in files:
            wanted = columns
            if path.exists():
                there = pq.read_schema(path).names
                if unknown := [name for name in columns or () if name not in there]:
                    raise ConfigError(f"no column {unknown[0]!r}", f"there are: {', '.join(there)}")
                wanted = [name for name in there if name != _PICTURE] if columns is None else columns
            tables.append(read_table(path, None if wanted is None else list(wanted)).to_pandas())
        if not tables:
            raise ManifestError(f"{self.path / MANIFESTS} has no such table", "run fgbench prepare")
        joined: pd.DataFrame = pd.concat(tables, ignore_index=True)
        return joined


def _in_part(rows: pd.DataFrame, part: str | None, *, has_roles: bool) -> pd.DataFrame:
    """Rows of a part; of a fold those that are in none of its parts are left out."""
    if part is not None:
        rows = rows[rows["split"] == part]
    elif has_roles:
        rows = rows[rows["split"].notna()]
    return rows.reset_index(drop=True)
