"""``fgbench publish``: a data set without its faces, for others who have the clips."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli.console import print_json, progress_bars, say
from fgbench.cli.data_folders import refuse_data
from fgbench.cli.options import DEFAULT_JOBS, Jobs, Json


def publish(
    workdir: Annotated[Path, typer.Argument(help="Work folder.", callback=refuse_data)],
    out: Annotated[
        Path,
        typer.Argument(help="Folder to write: new, empty, or an earlier publication of the same data set."),
    ],
    without_pixels: Annotated[
        bool,
        typer.Option(
            "--without-pixels",
            help="No face and no picture, but their digests. Has to be given: there is no other way yet.",
        ),
    ] = False,
    jobs: Jobs = DEFAULT_JOBS,
    json: Json = False,
) -> None:
    """Write all of a data set but its faces: what others need who have the clips themselves.

    Ids, labels, votes, parts, boxes, landmarks, transforms, poses and statuses, SHA-256 and size of each file
    of the data set, digests of every table and of every face's pixels, the recipe, versions, rejects and a
    data card that datasets.load_dataset reads. No picture, no absolute path. fgbench rebuild makes the data
    set again from it and the clips.
    """
    from fgbench.errors import ConfigError
    from fgbench.naming import counted
    from fgbench.publication.layout import PARTED
    from fgbench.publication.publish import publish as write_publication

    if not without_pixels:
        raise ConfigError(
            "fgbench publish writes data sets without their faces alone, and --without-pixels is not given",
            "give --without-pixels; with the faces, the manifests (WORKDIR/manifests) are plain Parquet and "
            "can be copied as they are: the licence of the clips decides whether they may be passed on",
        )
    with progress_bars(quiet=json) as progress:
        publication = write_publication(workdir, out, jobs=jobs, progress=progress)
    index, sources = publication.index, publication.sources
    rows = {
        table: sum(file.rows or 0 for name, file in index.files.items() if name.startswith(f"{table}/"))
        for table in PARTED
    }
    if json:
        summary = {"folder": str(out), "dataset": index.dataset, "synthetic": index.synthetic}
        print_json({**summary, "files": len(index.files), "sources": sources, "rows": rows})
        return
    name = f"{index.dataset} (synthetic)" if index.synthetic else index.dataset
    say(
        f"{name}: {counted(rows['clips'], 'clip')}, {counted(rows['faces'], 'frame')}, "
        f"{counted(rows['images'], 'image')}, {counted(sources, 'file')} of the data set; no picture"
    )
    say(f"published in {out}; with the clips: fgbench rebuild {out} --data-root CLIPS")
