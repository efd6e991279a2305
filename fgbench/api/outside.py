"""``Work.score``: what another program predicted becomes a run of a work folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fgbench.api.runs import Run
from fgbench.api.unit_runs import UnitRun


class Outside:
    """Scores of other programs in a work folder."""

    path: Path

    def score(
        self,
        file: str | os.PathLike[str],
        *,
        name: str | None = None,
        format: str = "auto",  # noqa: A002
        map: Mapping[str, str] | None = None,  # noqa: A002
        samples: str = "auto",
        seed: int = 0,
        force: bool = False,
    ) -> Any:
        """Score what another tool or script predicted for the test part, as ``fgbench score`` does.

        It becomes a run, marked as from outside, which tables, comparisons and :attr:`fgbench.Work.runs` show
        with the others; it has no weights. Samples without a prediction count as wrong. How the file was read
        is logged.

        Args:
            file: A CSV or Parquet table, or JSON of DeepFace; or a folder with a file per clip.
            name: Name of the run; ``None``: that of the file.
            format: ``"csv"`` (or Parquet), ``"openface"``, ``"pyfeat"``, ``"libreface"``, ``"emotieff"``,
                ``"deepface"``; ``"auto"``: by its columns.
            map: Classes of the program as those of the data set, ``{"joy": "happiness"}``; ``""`` leaves one
                out. ``None``: by the label sets.
            samples: ``"images"`` or ``"clips"``; ``"auto"``: images of data of pictures alone, else clips.
            seed: Of the run: several files of one program may be its seeds.
            force: Whether the scores of another file that have the name are replaced.

        Returns:
            A :class:`fgbench.Run` of classes, or a :class:`fgbench.UnitRun` of action units; a list of both
            where file and data set have both.

        Raises:
            ConfigError: If an argument is not valid, classes cannot be matched, or the name is another run's.
            DatasetError: If the file cannot be read, holds no predictions, or matches no test sample.
            DependencyError: If action units need a package that is not installed.
            ManifestError: If the manifests are damaged.
            ResourceError: If the run cannot be written.
        """
        from fgbench.api.scored_files import score_file

        scored = score_file(
            file,
            self.path,
            format_=format,
            name=name,
            mapping=map,
            samples=samples,
            seed=seed,
            force=force,
        )
        runs: list[Run | UnitRun] = []
        if scored.classes is not None:
            runs.append(Run.of(scored.classes))
        if scored.units is not None:
            runs.append(UnitRun(scored.units))
        return runs[0] if len(runs) == 1 else runs
