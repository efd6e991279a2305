"""Stages of a preparation: their order, their contract, and their results in a work folder.

Clips are hashed into a fixed number of buckets. The outcome of a stage for a bucket is a set of Parquet
files and a *marker*, a small JSON file that is written last and holds their digests. All of them bear a
fingerprint in their names: the hash of the stage's name and version, of the part of it that the recipe
chooses, of the recipe's section that the stage reads, of its plan for the bucket, and of the digests of its
inputs. Existing results are never computed again nor changed, so a run may be killed at any instant and be
continued, and one worker and many give the same bytes.

Layout of a work folder::

    stages/<stage>/<bucket>-<fingerprint>.json              marker, written last
    stages/<stage>/<bucket>-<fingerprint>.<output>.parquet  rows
    stages/<stage>/<bucket>-<fingerprint>.rejects.parquet   items that could not be used, with the reason
    stages/<stage>/<bucket>-<fingerprint>.in-hand           item in work; left by a process that dies
    logs/failed_items.log                                   tracebacks of items that failed
    plans/<stage>-<fingerprint>.json                        decisions that need all buckets at once
    manifests/                        tables for users; see fgbench.preparation.stages.publish
    prepare.json, .fgbench-work.json  origin and mark; see fgbench.workfolders.folder
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench import plugins, records, storage
from fgbench.catalogue.stamps import Stamp
from fgbench.config import PrepareConfig, Section
from fgbench.config.features import feature_section
from fgbench.preparation.markers import CHANGED as CHANGED
from fgbench.preparation.markers import REJECTS as REJECTS
from fgbench.preparation.markers import Marker as Marker
from fgbench.preparation.markers import stage_folder as stage_folder
from fgbench.preparation.markers import stem as stem
from fgbench.records import ClipEntry, Rejected

if TYPE_CHECKING:
    import pyarrow as pa

FEATURES = ("lbp", "dense_trajectories", "optical_flow", "wide_faces")
"""Stages of features; a recipe may leave them out. Their tables are published under ``features/``."""

ORDER = ("ingest", "consensus", "split", "sample", "faces", "audit", "augment", *FEATURES)
"""Stages that work bucket by bucket, in their order; ``publish`` follows them."""

ROWS = "rows"
"""Name of the output of a stage that has only one."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """An item that a stage could use, and its rows.

    Attributes:
        item_id: Id of the item (a clip id).
        rows: Rows of the output table; consumed once, as a stream.
        output: Name of the output table.
    """

    item_id: str
    rows: Iterable[Mapping[str, Any]]
    output: str = ROWS


Outcome = Accepted | Rejected


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a stage, and its work.

    An error of the work, also while the rows of its outcome are made, makes a reject of this item alone
    (`fgbench.preparation.failures`).

    Attributes:
        item_id: Id of the item (a clip id).
        work: Function that works on it; called at once, before the next item is requested.
    """

    item_id: str
    work: Callable[[], Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Everything a worker needs to run one stage on one bucket.

    Attributes:
        stage: Name of the stage.
        bucket: Number of the bucket.
        fingerprint: Identity of the result.
        workdir: The work folder.
        root: Root of the data set.
        dataset: Name of the data set, for the manifests.
        scheme: Name of its label set.
        classes: Labels of the clips to take, where the recipe lists them; else empty.
        written: The user's own classes that are not spelled in the normal form, of those that the bucket's
            clips may have.
        upper: Label to upper class, where the recipe groups the user's own classes.
        config: The stage's section of the recipe.
        inputs: Stage name to output name to file.
        entries: Clips of the bucket as the adapter lists them (only for the first stage).
        stamps: States of their files when it was decided to read them, in the same order.
        plan: Decision of :attr:`Stage.plan` for this bucket.
        selected: Clips of the bucket that have selected frames for the image set, and these (only for a stage
            that reads them).
        fatal: Items at which worker processes died, and how in words; they are rejected without a try.
    """

    stage: str
    bucket: int
    fingerprint: str
    workdir: Path
    root: Path
    dataset: str
    scheme: str
    config: Section
    inputs: Mapping[str, Mapping[str, Path]]
    classes: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    upper: Mapping[str, str] = field(default_factory=dict)
    entries: tuple[ClipEntry, ...] = ()
    stamps: tuple[Stamp, ...] = ()
    plan: Any = None
    selected: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    fatal: Mapping[str, str] = field(default_factory=dict)

    def rows(
        self, stage: str, output: str = ROWS, columns: list[str] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Rows of an input table of this bucket, streamed in their order."""
        path = self.inputs.get(stage, {}).get(output)
        return storage.read_rows(path, columns) if path is not None else iter(())

    def by_clip(self, stage: str, output: str = ROWS) -> dict[str, dict[str, Any]]:
        """Input table of this bucket with one row per clip, by clip id."""
        return {row["clip_id"]: row for row in self.rows(stage, output)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step of ``fgbench prepare``; the module ``fgbench/preparation/stages/<name>.py`` holds it as
    ``STAGE``.

    Attributes:
        name: Name of the stage, of its module and of its section in the recipe.
        version: Raised when the same input and recipe give other rows than before.
        inputs: Stages whose tables it reads; the clips of the first are the items to accept or reject.
        outputs: Output name to table name in :func:`fgbench.records.schema`.
        run: Lists the items of a bucket, ordered by their ids, each with the work that it takes. Whatever may
            fail for one item alone belongs into its work.
        plan: Plans the work of all buckets at once; gets the recipe's section and the input
            files of every bucket, returns a JSON-able value per bucket. ``None`` where buckets are
            independent.
        plan_shape: Type of that value in JSON; a stored plan of another type is not used.
        files: Further files that the result depends on, e.g. model weights named in the recipe.
        width: Length of the vectors of the output table, where it is a choice of the recipe.
        enabled: Whether the recipe wants the stage; ``None`` is always.
        variant: Identity of a part of the stage that the recipe chooses, with its version, where that part
            has one of its own.
        reads_classes: Whether rows depend on the classes, and their upper classes, that the recipe lists.
        reads_selection: Whether rows depend on the frames that are selected for the image set
            (:attr:`fgbench.records.ClipEntry.selected_frames`); no other stage is made anew for these.
    """

    name: str
    version: int
    inputs: tuple[str, ...]
    outputs: Mapping[str, str]
    run: Callable[[Task], Iterator[Item]]
    plan: Callable[[Any, Mapping[int, Mapping[str, Mapping[str, Path]]]], Mapping[int, Any]] | None = None
    plan_shape: Any = Any
    files: Callable[[Any], Sequence[Path]] | None = None
    width: Callable[[Any], int] | None = None
    enabled: Callable[[Any], bool] | None = None
    variant: Callable[[Any], str] | None = None
    reads_classes: bool = False
    reads_selection: bool = False

    def is_enabled(self, recipe: PrepareConfig) -> bool:
        """Return whether the recipe enables this stage; one of another package has to be named in it."""
        if self.name not in ORDER and self.name not in recipe.features:
            return False
        return self.enabled is None or self.enabled(self.config(recipe))

    def config(self, recipe: PrepareConfig) -> Section:
        """The section of the recipe that this stage reads."""
        if self.name not in ORDER:
            return feature_section(self.name, recipe.features[self.name])
        section: Section = getattr(recipe, self.name)
        return section


def stages(recipe: PrepareConfig) -> list[Stage]:
    """The stages in their order; those of other packages that a recipe names come last.

    Raises:
        PluginError: If one of those cannot be used.
    """
    own: list[Stage] = [plugins.load("stages", name).STAGE for name in ORDER]
    return [*own, *map(_of_other_package, sorted(recipe.features))]


def _of_other_package(name: str) -> Stage:
    stage: Stage = plugins.load("stages", name).STAGE
    faults = []
    if stage.name != name:
        faults.append(f"STAGE.name is {stage.name!r}, expected {name!r}")
    if set(stage.outputs) != {ROWS}:
        faults.append(f"STAGE.outputs are {sorted(stage.outputs)}, expected {ROWS!r} alone")
    if not stage.inputs or not set(stage.inputs) <= set(ORDER):
        faults.append(f"STAGE.inputs are {stage.inputs}, expected some of {', '.join(ORDER)}")
    if faults:
        package = plugins.package_of("stages", name)
        raise plugins.PluginError(
            f"the stage {name} of the package {package} cannot be used: {'; '.join(faults)}",
            "take it out of the recipe, or update the package",
        )
    return stage


def schemas(stage: Stage, section: Section) -> dict[str, pa.Schema]:
    """Output name to Arrow schema of a stage's tables; for stages of other packages from their module.

    Args:
        stage: The stage.
        section: Its section of the recipe.

    Raises:
        PluginError: If the schema of another package's stage has no ``clip_id``.
    """
    if stage.name in ORDER:
        width = stage.width(section) if stage.width else 0
        return {output: records.schema(table, width) for output, table in stage.outputs.items()}
    declared = plugins.load("stages", stage.name).SCHEMA
    schema: pa.Schema = declared(section) if callable(declared) else declared
    if "clip_id" not in getattr(schema, "names", ()):
        package = plugins.package_of("stages", stage.name)
        raise plugins.PluginError(
            f"SCHEMA of the stage {stage.name} of the package {package} has no column clip_id",
            "update the package",
        )
    return dict.fromkeys(stage.outputs, schema)


def with_features(recipe: PrepareConfig, names: Sequence[str]) -> PrepareConfig:
    """The recipe with some features turned on, the missing ones with their defaults.

    Args:
        recipe: The recipe.
        names: Features to turn on.

    Raises:
        ConfigError: If there is no such feature.
    """
    changes: dict[str, Any] = {"features": dict(recipe.features)}
    for name in names:
        is_own = name in ORDER
        if is_own:
            section: Section = getattr(recipe, name)
        else:
            section = feature_section(name, recipe.features.get(name, {}))
        if "enabled" in type(section).model_fields:
            section = section.model_copy(update={"enabled": True})
        if is_own:
            changes[name] = section
        else:
            changes["features"][name] = section.model_dump(mode="json")
    return recipe.model_copy(update=changes)


def read_table(paths: Iterable[Path], columns: list[str] | None = None) -> pa.Table:
    """Concatenate Parquet files of one schema into one Arrow table, in the order given.

    Raises:
        ManifestError: If one is missing or damaged.
    """
    import pyarrow as pa

    return pa.concat_tables([storage.read_table(path, columns) for path in paths])
