"""``fgbench rebuild``: a published data set made again from the user's copy of the clips, and compared.

Reads a publication and the files of the clips. Writes a work folder as ``fgbench prepare`` does, whose data
set is links to the files (`fgbench.publication.clip_links`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from fgbench import __version__, plugins, storage
from fgbench.callbacks import Progress
from fgbench.catalogue.carried_listing import read_action_units, read_entries, with_parts
from fgbench.config import PrepareConfig
from fgbench.errors import ConfigError, DatasetError, DependencyError, ManifestError
from fgbench.files.hashing import digest_file
from fgbench.preparation import prepare
from fgbench.publication import layout
from fgbench.publication.clip_links import SOURCE, write_clip_links
from fgbench.publication.difference_sides import made_side, published_side
from fgbench.publication.listed_paths import is_below
from fgbench.publication.proof import Proof, prove
from fgbench.publication.source_files import Located, SourceFile, check_source_paths, locate
from fgbench.publication.tables import write_tables
from fgbench.records import ClipEntry
from fgbench.runs.division import FOLDS
from fgbench.workfolders import folder as workfolder
from fgbench.workfolders import holding
from fgbench.workfolders.manifest_index import read_index


def rebuild(
    published: Path,
    clips: Path,
    workdir: Path,
    *,
    detector_model: Path | None = None,
    jobs: int,
    progress: Progress,
) -> Proof:
    """Make a published data set again, and compare it with the publication.

    Args:
        published: The publication.
        clips: Root of the clips.
        workdir: The work folder; made if absent.
        detector_model: Model file of the detector, if the recipe names one.
        jobs: Worker processes.
        progress: Called with the numbers of hashed files and finished buckets.

    Returns:
        The comparison; clips whose files are missing are rejects of the work folder.

    Raises:
        ConfigError: If the folder is no work folder, or one of another data set; nothing in it is changed.
        DatasetError: If the folder of the clips cannot be listed.
        DependencyError: If the recipe names a model file, and another one or none is given.
        ManifestError: If the publication is damaged, or names files outside the folder of the clips.
        ResourceError: If the work folder cannot be written.
    """
    index = layout.read_published(published)
    files, entries = _files(published), _entries(published)
    if not clips.is_dir():
        raise DatasetError(f"no folder {clips}", "give the folder of the clips")
    source = workdir / SOURCE
    _refuse_other_work(workdir, source)
    model = _model(index, detector_model)
    with plugins.load("engines", "local").start(jobs) as runner:
        located = locate(files, clips, runner, progress)
    config, listed = _as_published(published, index, entries, located)
    if model is not None:
        faces = config.faces.model_copy(update={"detector_model": str(model.absolute())})
        config = config.model_copy(update={"faces": faces})
    with holding.working_in(workdir):
        units = read_action_units(published) if layout.ACTION_UNITS in index.files else None
        write_clip_links(source, clips, located, listed, units, index.unit_source, index.annotators)
        _keep_folds(published, workdir, index)
    prepare.run(config, source, workdir, jobs=jobs, progress=progress)
    before = published_side(published, index)
    with TemporaryDirectory(prefix=".fgbench-proof-", dir=workdir) as again:
        with plugins.load("engines", "local").start(jobs) as runner:
            write_tables(workdir, Path(again), list(read_index(workdir)["files"]), runner)
        return prove(before, made_side(workdir, Path(again)), Path(again), located)


def _files(published: Path) -> list[SourceFile]:
    """Return the files of the data set.

    Raises:
        ManifestError: If the path of one leads out of the data set.
    """
    origin = published / layout.FILES
    files = [
        SourceFile(path=row["path"], sha256=row["sha256"], size=row["bytes"])
        for row in storage.read_rows(origin)
    ]
    check_source_paths((file.path for file in files), origin)
    return files


def _entries(published: Path) -> list[ClipEntry]:
    """Return the clips as they are listed.

    Raises:
        ManifestError: If the path of one leads out of the data set.
    """
    entries = read_entries(published)
    outside = [entry.path for entry in entries if not is_below(entry.path)]
    check_source_paths(outside[:1], published / layout.ENTRIES)
    return entries


def _refuse_other_work(workdir: Path, source: Path) -> None:
    """Raise if a folder is the work folder of another data set."""
    if not workfolder.is_work_folder(workdir):
        return
    try:
        _, root = workfolder.read_origin(workdir)
    except ManifestError:  # it was begun and got no further
        return
    if root != source.resolve():
        raise ConfigError(
            f"{workdir} is the work folder of the data set {root}, and not of one that is made again",
            "name another work folder",
        )


def _model(index: layout.Index, given: Path | None) -> Path | None:
    """Return the model file of the detector, checked by the digest that the publication has of it.

    Raises:
        ConfigError: If one is given, and the recipe names none.
        DependencyError: If the recipe names one, and another one or none is given.
    """
    if not index.models:
        if given is not None:
            raise ConfigError("the recipe of the publication names no model file", "leave it out")
        return None
    name, expected = next(iter(index.models.items()))
    if given is None:
        raise DependencyError(
            f"the detector needs the model file {name!r}", "give that file as the detector model"
        )
    try:
        sha256 = digest_file(given)
    except OSError as error:
        raise DependencyError(
            f"cannot read the model file {given}: {error.strerror}", "check its name"
        ) from error
    if sha256 != expected:
        raise DependencyError(
            f"{given} is not the model file {name!r} of the publication: its SHA-256 is {sha256}, expected "
            f"{expected}",
            "get the one that the publication was made with",
        )
    return given


def _as_published(
    published: Path, index: layout.Index, entries: Sequence[ClipEntry], located: Sequence[Located]
) -> tuple[PrepareConfig, list[ClipEntry]]:
    """Return the recipe and clips that result in the published parts.

    If files are missing, or another version might divide otherwise, the published parts become official ones.
    """
    is_whole = all(one.state in ("in place", "moved") for one in located)
    if is_whole and index.provenance.get("fgbench") == __version__:
        return layout.recipe_of(index, resolved=False), list(entries)
    config = layout.recipe_of(index, resolved=True)
    if config.protocol.kind != "k-fold":
        config = config.model_copy(update={"split": config.split.model_copy(update={"use_official": True})})
    if any(one.state == "missing" for one in located):  # each of them is reported, however many they are
        config = config.model_copy(update={"max_reject_rate": 1.0})
    parts = {
        row[key]: row["split"]
        for key, path in (
            ("id", published / layout.REJECTS),
            *(("clip_id", path) for path in layout.parts_of(published, "clips")),
        )
        for row in storage.read_rows(path, [key, "split"])
        if row["split"] is not None
    }
    return config, with_parts(entries, parts)


def _keep_folds(published: Path, workdir: Path, index: layout.Index) -> None:
    """Copy the published folds into a work folder; those that it has already stay."""
    for name in sorted(index.files):
        if name.startswith(f"{FOLDS}/") and not (workdir / name).exists():
            storage.write_bytes(workdir / name, (published / name).read_bytes())
