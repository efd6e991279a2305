"""``fgbench rebuild``: a published data set made again from one's own copy of the clips, and proved the same.

Reads a publication and the files of the clips; of the clips' folder nothing else is needed. Writes a work
folder as ``fgbench prepare`` does, whose data set is links to the files (`fgbench.publication.borrowed`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from fgbench import __version__, plugins, storage
from fgbench.catalogue.carried_listing import read_action_units, read_entries, with_parts
from fgbench.config import PrepareConfig
from fgbench.errors import ConfigError, DatasetError, DependencyError, ManifestError
from fgbench.files.hashing import digest_file
from fgbench.preparation import prepare
from fgbench.publication import layout
from fgbench.publication.borrowed import SOURCE, write_borrowed
from fgbench.publication.proof import Proof, prove
from fgbench.publication.publish import Progress
from fgbench.publication.sides import made_side, published_side
from fgbench.publication.source_files import Located, SourceFile, checked_paths, is_below, locate
from fgbench.publication.tables import write_tables
from fgbench.records import ClipEntry
from fgbench.runs.division import FOLDS
from fgbench.workfolders import folder as workfolder
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
        detector_model: Model file of the detector, where the recipe names one.
        jobs: Worker processes.
        progress: Told of hashed files and finished buckets.

    Returns:
        What is the same and what differs; clips whose files are missing are rejects of the work folder.

    Raises:
        ConfigError: If the folder is no work folder, or one of another data set; nothing in it is changed.
        DatasetError: If the folder of the clips cannot be listed.
        DependencyError: If the recipe names a model file, and another one or none is given.
        ManifestError: If the publication is damaged, or names files outside of the folder of the clips.
        ResourceError: If the work folder cannot be written.
    """
    index = layout.read_published(published)
    files = _files(published)
    entries = _entries(published)
    if not clips.is_dir():
        raise DatasetError(f"no folder {clips}", "give the folder of the clips with --data-root")
    source = workdir / SOURCE
    _refuse_other_work(workdir, source)
    model = _model(index, detector_model)
    with plugins.load("engines", "local").start(jobs) as runner:
        located = locate(files, clips, runner, progress)
    config, listed = _as_published(published, index, entries, located)
    if model is not None:
        faces = config.faces.model_copy(update={"detector_model": str(model.absolute())})
        config = config.model_copy(update={"faces": faces})
    with workfolder.working_in(workdir):
        units = read_action_units(published) if layout.ACTION_UNITS in index.files else None
        write_borrowed(source, clips, located, listed, units, index.unit_source)
        _keep_folds(published, workdir, index)
    prepare.run(config, source, workdir, jobs=jobs, progress=progress)
    before = published_side(published, index)
    with TemporaryDirectory(prefix=".fgbench-proof-", dir=workdir) as again:
        with plugins.load("engines", "local").start(jobs) as runner:
            write_tables(workdir, Path(again), list(read_index(workdir)["files"]), runner)
        return prove(before, made_side(workdir, Path(again)), Path(again), located)


def _files(published: Path) -> list[SourceFile]:
    """Files of the data set, whose paths are all below its root.

    Raises:
        ManifestError: If one is not.
    """
    origin = published / layout.FILES
    files = [
        SourceFile(path=row["path"], sha256=row["sha256"], size=row["bytes"])
        for row in storage.read_rows(origin)
    ]
    checked_paths((file.path for file in files), origin)
    return files


def _entries(published: Path) -> list[ClipEntry]:
    """The clips as they are listed.

    Raises:
        ManifestError: If the path of one leads out of the data set.
    """
    entries = read_entries(published)
    for entry in entries:
        if not is_below(entry.path):
            checked_paths([entry.path], published / layout.ENTRIES)
    return entries


def _refuse_other_work(workdir: Path, source: Path) -> None:
    """Raise if a folder is the work folder of another data set."""
    if not workfolder.is_work_folder(workdir):
        return
    try:
        _, before = workfolder.read_origin(workdir)
    except ManifestError:  # one that was begun and got no further
        return
    if before != source.resolve():
        raise ConfigError(
            f"{workdir} is the work folder of the data set {before}, and not of one that is made again",
            "name another one: --workdir DIR",
        )


def _model(index: layout.Index, given: Path | None) -> Path | None:
    """Model file of the detector, of which the publication tells the digest.

    Raises:
        ConfigError: If one is given, and the recipe names none.
        DependencyError: If the recipe names one, and another one or none is given.
    """
    wanted = next(iter(index.models.items()), None)
    if wanted is None:
        if given is not None:
            raise ConfigError("the recipe of the publication names no model file", "leave it out")
        return None
    name, sha256 = wanted
    if given is None:
        raise DependencyError(
            f"the detector needs the model file {name!r}", f"give it: --detector-model {name}"
        )
    try:
        found = digest_file(given)
    except OSError as error:
        raise DependencyError(
            f"cannot read the model file {given}: {error.strerror}", "check its name"
        ) from error
    if found != sha256:
        raise DependencyError(
            f"{given} is not the model file {name!r} of the publication: its SHA-256 is {found}, expected "
            f"{sha256}",
            "get the one that the publication was made with",
        )
    return given


def _as_published(
    published: Path, index: layout.Index, entries: Sequence[ClipEntry], located: Sequence[Located]
) -> tuple[PrepareConfig, list[ClipEntry]]:
    """Recipe and clips by which the published parts come out, also where files are missing or another version
    divides otherwise: then every clip has its published part as an official one."""
    is_whole = all(one.found in ("in place", "moved") for one in located)
    if is_whole and index.provenance.get("fgbench") == __version__:
        return layout.recipe_of(index, resolved=False), list(entries)
    config = layout.recipe_of(index, resolved=True)
    if config.protocol.kind != "k-fold":
        config = config.model_copy(update={"split": config.split.model_copy(update={"use_official": True})})
    if any(one.found == "missing" for one in located):  # each of them is told, however many they are
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
    """Deal the clips into the published folds; those that a work folder has already stay."""
    for name in sorted(index.files):
        if name.startswith(f"{FOLDS}/") and not (workdir / name).exists():
            storage.write_bytes(workdir / name, (published / name).read_bytes())
