"""Data sets without their faces: ``fgbench.publish``, ``rebuild`` from the clips, ``diff`` of two."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.api.arguments import path_of, path_or_none, switch, workers
from fgbench.api.progress import Shown, bars, shown_as
from fgbench.notebook_lines import NotebookLines

if TYPE_CHECKING:
    from fgbench.publication.difference import Difference
    from fgbench.publication.proof import Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication(NotebookLines):
    """A data set as it was published.

    Attributes:
        folder: Its folder.
        dataset: Name of the data set.
        is_synthetic: Whether its faces are drawn.
        n_files: Files that its index lists.
        n_sources: Files of the data set, which it lists by their digests.
        rows: Table to number of rows: ``clips``, ``faces``, ``images``.
    """

    folder: Path
    dataset: str
    is_synthetic: bool
    n_files: int
    n_sources: int
    rows: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "folder": str(self.folder),
            "dataset": self.dataset,
            "synthetic": self.is_synthetic,
            "files": self.n_files,
            "sources": self.n_sources,
            "rows": dict(self.rows),
        }

    def lines(self) -> list[str]:
        """Return lines of text."""
        from fgbench.naming import counted

        name = f"{self.dataset} (synthetic)" if self.is_synthetic else self.dataset
        return [
            f"{name}: {counted(self.rows['clips'], 'clip')}, {counted(self.rows['faces'], 'frame')}, "
            f"{counted(self.rows['images'], 'image')}, {counted(self.n_sources, 'file')} of the data set; "
            "no picture",
            f"published in {self.folder}; with the clips: fgbench rebuild {self.folder} --data-root CLIPS",
        ]


def publish(
    workdir: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    without_pixels: bool = False,
    jobs: int | None = None,
    progress: Shown = None,
) -> Publication:
    """Publish a data set without its faces, for others who have the clips.

    Written are ids, labels, votes, parts, boxes, landmarks, transforms, poses and statuses, SHA-256 and size
    of each file of the data set, digests of every table and of every face's pixels, the recipe, versions,
    rejects and a data card; no picture and no absolute path.

    Args:
        workdir: Work folder with complete manifests.
        out: The folder to write: new, empty, or an earlier publication of the same data set.
        without_pixels: Has to be true: there is no other way yet.
        jobs: Worker processes; ``None``: one per core.
        progress: Whether bars are shown; ``None``: in terminals and notebooks; or a function that is called
            with a name, the number done, and the total.

    Raises:
        ConfigError: If ``without_pixels`` is not given, or something else is in the folder; nothing in it is
            changed.
        DatasetError: If the data set is not there.
        ManifestError: If the work folder is unfinished or damaged, or the data set has changed.
        ResourceError: If the publication cannot be written.
    """
    from fgbench.errors import ArgumentError
    from fgbench.publication.layout import PARTED
    from fgbench.publication.publish import publish as write_publication

    work = path_of("workdir", workdir, example="work.path")
    folder = path_of("out", out, example="'published'")
    if not switch("without_pixels", without_pixels):
        raise ArgumentError(
            "not given, and data sets are published without their faces alone",
            "give it; with the faces, the manifests (WORKDIR/manifests) are plain Parquet and can be copied "
            "as they are: the licence of the clips decides whether they may be passed on",
            argument="without_pixels",
        )
    jobs = workers(jobs)
    with bars(shown_as(progress)) as update:
        written = write_publication(work, folder, jobs=jobs, progress=update)
    files = written.index.files
    return Publication(
        folder=folder,
        dataset=written.index.dataset,
        is_synthetic=written.index.synthetic,
        n_files=len(files),
        n_sources=written.sources,
        rows={
            table: sum(file.rows or 0 for name, file in files.items() if name.startswith(f"{table}/"))
            for table in PARTED
        },
    )


def rebuild_workdir(published: str | os.PathLike[str]) -> Path:
    """Return the work folder in which a publication is made again where none is named."""
    from fgbench.workfolders.default_folders import BASE

    return BASE / f"{Path(published).resolve().name}-rebuilt" / "work"


def rebuild(
    published: str | os.PathLike[str],
    data: str | os.PathLike[str],
    *,
    workdir: str | os.PathLike[str] | None = None,
    detector_model: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    progress: Shown = None,
) -> Proof:
    """Make a published data set again from the clips, and prove by digests that it is the same.

    Files are found by their paths below the folder of the clips, else by their digests. Recipe, labels, votes
    and parts are the published ones. Clips that are missing are rejects.

    Args:
        published: Folder that :func:`publish` has written.
        data: Folder of the clips; no annotations are needed in it.
        workdir: Work folder; ``None``: :func:`rebuild_workdir`.
        detector_model: Model file of the detector, where the recipe names one.
        jobs: Worker processes; ``None``: one per core.
        progress: Whether bars are shown; ``None``: in terminals and notebooks; or a function that is called
            with a name, the number done, and the total.

    Returns:
        What differs, clip by clip; ``is_same`` if nothing does.

    Raises:
        ConfigError: If the work folder is of other data, or a model file is given that the recipe does not
            name.
        DatasetError: If there is no folder of clips.
        DependencyError: If the model file of the detector is not given, or is another one.
        ManifestError: If the publication is damaged.
        ResourceError: If memory or disk are full.
    """
    from fgbench.publication.rebuild import rebuild as rebuild_data

    source = path_of("published", published, example="'published'")
    clips = path_of("data", data, example="'my-clips'")
    work = path_or_none("workdir", workdir, example="workdir='fgbench-data/my-clips/work'")
    model = path_or_none("detector_model", detector_model, example="detector_model='detector.onnx'")
    jobs = workers(jobs)
    with bars(shown_as(progress)) as update:
        return rebuild_data(
            source,
            clips,
            rebuild_workdir(source) if work is None else work,
            detector_model=model,
            jobs=jobs,
            progress=update,
        )


def require_same(proof: Proof, workdir: str | os.PathLike[str]) -> None:
    """Do nothing where a data set that was made again is the published one.

    Raises:
        ManifestError: If it is not.
    """
    from fgbench.errors import ManifestError

    if not proof.is_same:
        raise ManifestError(
            f"{workdir} is not the published data set",
            "bring the files that are missing or other, take the versions that it was made with, and run the "
            "command again: what is done is kept",
        )


def diff(
    first: str | os.PathLike[str],
    second: str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
) -> Difference:
    """Compare two prepared data sets: settings, clips, labels, parts, key frames, faces, and runs.

    Landmarks count as moved beyond half a pixel. Runs that were made of the data of one folder are told if
    they do not hold for those of the other. Other versions of packages alone are told and are no difference.

    Args:
        first: Work folder, or folder that :func:`publish` has written.
        second: Another one.
        out: CSV file to write all that differs to; ``None``: none.

    Raises:
        ConfigError: If the file is not named ``.csv``, or is there and is no such table.
        ManifestError: If a folder is neither, or is damaged.
        ResourceError: If one may not be read, or the file cannot be written.
    """
    from fgbench.errors import ArgumentError
    from fgbench.publication.difference import difference
    from fgbench.publication.difference_tables import check_csv, difference_csv
    from fgbench.storage import write_text

    folders = [
        path_of(what, one, example="work.path") for what, one in (("first", first), ("second", second))
    ]
    table = path_or_none("out", out, example="out='difference.csv'")
    if table is not None and table.suffix != ".csv":
        raise ArgumentError(
            f"{table} would be written as CSV", "name a file that ends in .csv", argument="out"
        )
    if table is not None:
        check_csv(table)
    differences = difference(*folders)
    if table is not None:
        write_text(table, difference_csv(differences))
    return differences
