"""Preparation as commands and :func:`fgbench.prepare` begin it: recipe, data, work folder from what is
given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from fgbench.api.arguments import workers
from fgbench.api.changed_recipes import with_decoder, without_leaks
from fgbench.api.chosen_shards import chosen_shard, waiting_time
from fgbench.api.progress import Shown, bars, log
from fgbench.config import PrepareConfig, load_prepare, recipe_names, with_changes
from fgbench.errors import ArgumentError, ConfigError, ManifestError
from fgbench.workfolders import default_folders

if TYPE_CHECKING:
    from fgbench.preparation.report import RunReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """A preparation to be run.

    Attributes:
        config: The recipe.
        root: Folder of the data set.
        workdir: Work folder.
        is_embedded: Whether it is the embedded data set, which is drawn where it is absent.
    """

    config: PrepareConfig
    root: Path
    workdir: Path
    is_embedded: bool

    @property
    def lacks_data(self) -> bool:
        """Whether the embedded data set has to be drawn first."""
        from fgbench.synthetic.dataset import is_complete

        return self.is_embedded and not is_complete(self.root)

    def lines(self) -> list[str]:
        """Return lines of text on recipe, data and work folder."""
        from fgbench.remote.copy_folders import named_by
        from fgbench.remote.mirrors import origin_of

        work = named_by(self.workdir)
        lines = [f"recipe {self.config.name}, data {origin_of(self.root)}, work folder {work}"]
        if work != str(self.workdir):
            lines.append(f"its copy here: {self.workdir}")
        if self.config.dataset.synthetic:
            lines.append(
                "The data are SYNTHETIC, drawn faces: nothing measured on them says anything of real ones."
            )
        return lines

    def draw(self, *, jobs: int | None = None, progress: Shown = None) -> None:
        """Draw the embedded data set, where it is absent.

        Args:
            jobs: Worker processes; ``None``: one per core.
            progress: See :func:`fgbench.prepare`.

        Raises:
            ConfigError: If something else is in its folder.
            ResourceError: If the disk is full.
        """
        from fgbench.synthetic.dataset import SynthOptions, generate

        if not self.lacks_data:
            return
        log(f"the embedded data set is absent: drawing it into {self.root} (synthetic faces)")
        with bars(progress) as update:
            generate(
                self.root,
                SynthOptions(),
                jobs=workers(jobs),
                progress=lambda done, total: update("draw", done, total),
            )

    def preview(self, *, force: bool = False, retry: bool = False) -> RunReport:
        """Return what would be done; nothing is.

        Args:
            force: Whether everything would be computed anew.
            retry: Whether clips would be tried again that failed for a reason that may have passed.

        Raises:
            DatasetError: If the data set's layout is wrong.
        """
        from fgbench.preparation.prepare import preview

        return preview(self.config, self.root, self.workdir, force=force, retry=retry)

    def run(
        self,
        *,
        jobs: int | None = None,
        engine: str = "local",
        address: str | None = None,
        force: bool = False,
        retry: bool = False,
        verify: bool = False,
        worker_memory_gb: float | None = None,
        shard: str | None = None,
        shard_wait_s: float | None = None,
        force_unlock: bool = False,
        progress: Shown = None,
    ) -> RunReport:
        """Prepare, and return what was done; arguments and errors as of :func:`fgbench.prepare`.

        Args:
            jobs: Worker processes; ``None``: one per core.
            engine: How tasks are run: ``"local"``, ``"ray"``, ``"slurm"``, or an engine of another package.
            address: Address of the engine's cluster.
            force: Whether everything is computed anew.
            retry: Whether clips are tried again that failed for a reason that may have passed.
            verify: Whether all source files are hashed, also those with size and time as before.
            worker_memory_gb: Most memory of each worker, GB; ``None``: as the recipe says.
            shard: Share of the clips to do, ``"K/N"``.
            shard_wait_s: Seconds to wait for shards that are not at work; ``None``: 60.
            force_unlock: Whether a lock of a dead machine is broken first.
            progress: As of :func:`fgbench.prepare`.
        """
        from fgbench.preparation.prepare import run
        from fgbench.preparation.sharded_run import SHARD_WAIT_S

        with bars(progress) as update:
            return run(
                self.config,
                self.root,
                self.workdir,
                jobs=workers(jobs),
                engine=engine,
                address=address,
                force=force,
                retry=retry,
                verify=verify,
                worker_memory_gb=worker_memory_gb,
                shard=chosen_shard(shard),
                shard_wait_s=waiting_time(shard_wait_s, shard, default=SHARD_WAIT_S),
                force_unlock=force_unlock,
                progress=update,
            )

    def require_trainable(self, report: RunReport) -> None:
        """Do nothing where a run has left samples to train on, or the recipe asks for none.

        Raises:
            DatasetError: If there is none.
        """
        from fgbench.preparation.stages._closing_notes import untrainable

        if report.is_untrainable:
            raise untrainable(self.workdir)

    def prune(self) -> int:
        """Delete results of earlier recipes and inputs from the work folder, and return the number of files.

        Raises:
            ResourceError: If another process works in the folder, or a file cannot be deleted.
        """
        from fgbench import storage
        from fgbench.preparation.kept_copies import in_step
        from fgbench.preparation.prepare import unused_files
        from fgbench.remote.copy_folders import copy_at
        from fgbench.workfolders.holding import working_in

        copy = copy_at(self.workdir)
        with in_step(copy, force_unlock=False), working_in(self.workdir):
            unused = unused_files(self.config, self.root, self.workdir)
            size = sum(path.lstat().st_size for path in unused)
            names = [path.relative_to(self.workdir).as_posix() for path in unused]
            n_deleted = storage.remove_listed(self.workdir, names)
            if copy is not None:
                copy.remove(names)
        log(f"deleted {n_deleted} unused files ({size / 1e6:.1f} MB)")
        return n_deleted


def preparation(
    recipe: str | None,
    root: Path | None,
    workdir: Path | None,
    *,
    changes: Sequence[str] = (),
    decoder: str | None = None,
    drop_leaks: bool = False,
) -> Preparation:
    """Return what is meant: without data the embedded set, or the data set of the recipe below
    ``FGBENCH_DATA``. A data set at a URL is listed, and its mirror brought to what it has now.

    Args:
        recipe: Packed recipe or path of a YAML file.
        root: Folder of the data set, or its URL.
        workdir: Work folder, or its URL; ``None``: the default one, which is refused where it is of other
            data.
        changes: Settings of the recipe to change, see :func:`fgbench.config.with_changes`.
        decoder: Video decoder in place of the recipe's.
        drop_leaks: Whether clips that leak into another part are taken out of training and validation.

    Raises:
        ArgumentError: If the recipe needs a data set (``data_root``).
        ConfigError: If the recipe or a change of it is not valid, the default work folder is of another data
            set, there is no such decoder, or the URL of the work folder is of a storage that is only read.
        DatasetError: If the URL has no file.
        DependencyError: If a package that opens the URL is not installed.
        ResourceError: If its storage does not answer.
    """
    from fgbench.catalogue.data_roots import remembered_root
    from fgbench.remote import copy_folders, mirrors, urls
    from fgbench.synthetic.dataset import is_complete

    if recipe is not None and recipe.replace("_", "-") not in recipe_names() and Path(recipe).is_dir():
        raise ConfigError(
            f"{recipe} is a folder, expected a recipe",
            f"of data: fgbench prepare --data-root {quote(recipe)}",
        )
    is_embedded = root is None and recipe in (None, "demo")
    config = load_prepare(recipe or ("demo" if is_embedded else "default"))
    if root is None and not is_embedded:
        root = remembered_root(config.name, config.dataset.adapter)
        if root is None:
            raise ArgumentError(
                f"recipe {recipe!r} needs a data set", "give its folder", argument="data_root"
            )
    root = root or default_folders.DEMO_ROOT
    url_of_work = None if workdir is None else urls.url_of(workdir)
    if url_of_work is not None:
        urls.refuse_read_only(url_of_work)
    url = urls.url_of(root)
    if url is not None:
        kept_gb = with_changes(config, changes).cache_gb  # a wrong setting is told before anything is listed
        root = mirrors.mirrored(url, default_folders.REMOTE)
        mirrors.bound(root, kept_gb)
    if url_of_work is not None:
        workdir = copy_folders.work_copy(url_of_work, default_folders.COPIES).workdir
    work = workdir or (
        default_folders.DEMO_WORKDIR if is_embedded else default_folders.workdir_for(root, recipe)
    )
    if workdir is None and not is_embedded:
        _refuse_other_data(work, root)
    if not config.dataset.synthetic and is_complete(root):
        config = config.model_copy(update={"dataset": config.dataset.model_copy(update={"synthetic": True})})
    config = with_changes(config, changes)
    if decoder is not None:
        config = with_decoder(config, decoder)
    if drop_leaks:
        config = without_leaks(config)
    return Preparation(config=config, root=root, workdir=work, is_embedded=is_embedded)


def _refuse_other_data(work: Path, root: Path) -> None:
    """Raise if the default work folder is of another data set whose folder has the same name."""
    from fgbench.workfolders.folder import read_origin

    try:
        _, before = read_origin(work)
    except ManifestError:
        return
    if before != root.resolve() and before.exists():
        raise ConfigError(
            f"{work} is the work folder of the data set {before}, not of {root}",
            "name another work folder",
        )
