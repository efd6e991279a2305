"""Baseline ``dense-traj-svm``: bags of dense trajectories, one-vs-rest SVM (paper section III; Wang 2013).

Words are made from training clips, and so are the scales of the kernel; C is chosen, and probabilities are
calibrated, on validation clips; test clips are predicted. A clip without trajectories has one word more in
every channel, which no other clip has, and no others: its distance to clips with trajectories is 1, the
largest possible, and to others without 0, and it is predicted too (not stated in the paper). A
clip with trajectories has words in every channel, since each descriptor is counted for the nearest word, one
that is all zeros too.

Words are kept in the folder of the run, channel by channel: a run that was killed goes on with them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from fgbench.callbacks import Progress
from fgbench.config import DenseTrajSvmConfig
from fgbench.features.bag_of_words import Codebook, CodebookConfig, fit_codebook
from fgbench.files.hashing import digest_json, hash_u64
from fgbench.methods._svm_run import require_plan, run_svm
from fgbench.methods.dense_traj_svm.bags import training_sample
from fgbench.methods.dense_traj_svm.codebooks import codebook_path, load_codebook, save_codebook
from fgbench.methods.dense_traj_svm.kernels import ClipKernels, ExactKernels, NystroemKernels
from fgbench.records import TRAJECTORY_CHANNELS
from fgbench.runs.context import RunContext
from fgbench.runs.roles import Roles
from fgbench.runs.samples import Sample, clips_of_all_classes
from fgbench.svm.nystroem import draw_landmarks, nystroem_bytes_needed
from fgbench.svm.one_vs_rest import bytes_needed
from fgbench.svm.primal import linear_bytes_needed
from fgbench.workfolders.layout import FEATURES

NEEDS = ("dense_trajectories",)
"""Stages of features that have to be enabled."""
RECIPE = DenseTrajSvmConfig
"""Model of its recipes."""

CODEBOOK_VERSION = 1
"""Increased when the same inputs give other words."""


def run(config: DenseTrajSvmConfig, context: RunContext) -> Path:
    """Run the baseline on a prepared work folder; raises the errors of the baseline ``lbp-svm``.

    Progress has a step per run of k-means and one for the histograms of each channel.
    """
    roles = context.roles(clips_of_all_classes(context.manifests), protocol_name="clips")
    plan_memory(roles, config, n_classes=len(context.labels.labels), jobs=context.jobs)
    tables = context.manifests / FEATURES / "dense_trajectories"
    kept = context.folder(config.name)
    kernels: ClipKernels
    if config.solver_for(len(roles.train)) == "exact":
        kernels = ExactKernels(tables, roles, jobs=context.jobs)
    else:
        seed = hash_u64("landmarks", context.seed) % 2**32
        landmarks = draw_landmarks(len(roles.train), config.landmarks, seed=seed)
        kernels = NystroemKernels(tables, roles, landmarks, jobs=context.jobs)
    scales: dict[str, float] = {}
    words: dict[str, int] = {}
    steps = _Steps(context.progress, total=len(TRAJECTORY_CHANNELS) * (config.runs + 1))
    for channel in TRAJECTORY_CHANNELS:
        codebook = channel_codebook(
            tables,
            channel,
            roles.train,
            config,
            seed=context.seed,
            manifest_digest=context.manifest_digest,
            kept=codebook_path(kept, channel),
            progress=steps.done,
            jobs=context.jobs,
        )
        scales[channel] = kernels.add(channel, codebook)
        words[channel] = len(codebook.words)
        steps.done(1)
    return run_svm(
        config,
        context,
        roles=roles,
        candidates=[kernels.candidate()],
        test_values=lambda _: kernels.predicted(),
        details={"kind": "video", "words": words, "scales": scales},
    )


def plan_memory(
    roles: Roles,
    config: DenseTrajSvmConfig,
    *,
    n_classes: int,
    jobs: int | None,
    available: int | None = None,
) -> None:
    """Refuse more training clips than fit into memory, before any word is made.

    Args:
        roles: The samples.
        config: The recipe.
        n_classes: Classes.
        jobs: Machines fitted at the same time.
        available: Free bytes; ``None`` asks the system.

    Raises:
        ResourceError: If the memory that the recipe's solver needs does not fit.
    """
    n, m = len(roles.train), max(len(roles.selection), len(roles.predicted))
    others = len(roles.selection) + len(roles.predicted)
    if config.solver_for(n) == "exact":
        needed = bytes_needed(n, m, n_classes, jobs=jobs)
        needed += 4 * (len(TRAJECTORY_CHANNELS) + 1) * n * (n + others)
    else:
        landmarks = min(config.landmarks, n)
        needed = 4 * landmarks * (n + others) + nystroem_bytes_needed(n, m, landmarks, jobs=jobs)
        needed += linear_bytes_needed(n, landmarks, n_classes, jobs=jobs)
    require_plan(
        needed,
        config,
        n=n,
        what=f"training clips, with the distances of {len(TRAJECTORY_CHANNELS)} channels,",
        fewer="prepare a work folder with fewer training clips",
        available=available,
    )


def channel_codebook(
    tables: Path,
    channel: str,
    train: Sequence[Sample],
    config: DenseTrajSvmConfig,
    *,
    seed: int,
    manifest_digest: str,
    kept: Path,
    progress: Callable[[int], None],
    jobs: int | None,
) -> Codebook:
    """Return the words of a channel, made from training clips alone: those that were kept, or new ones.

    Args:
        tables: Folder of the tables of trajectories.
        channel: Key of :data:`fgbench.records.TRAJECTORY_CHANNELS`.
        train: Training clips.
        config: The recipe.
        seed: Seed of the sample and of the initial words of k-means.
        manifest_digest: Digest of the manifests.
        kept: File in which words are kept.
        progress: Called with the number of runs of k-means finished since the last call.
        jobs: Number of parallel runs.

    Raises:
        DatasetError: If no training clip has trajectories, or a descriptor is not finite.
        ManifestError: If a table is damaged.
    """
    clip_ids = [sample.clip_id for sample in train]
    fingerprint = digest_json(
        {
            "version": CODEBOOK_VERSION,
            "manifests": manifest_digest,
            "config": {"words": config.words, "samples": config.samples, "runs": config.runs},
            "seed": seed,
            "channel": channel,
            "clips": clip_ids,
        }
    )
    codebook_kept = load_codebook(kept, fingerprint=fingerprint)
    if codebook_kept is not None:
        progress(config.runs)
        return codebook_kept
    word_seed = hash_u64("words", seed, channel) % 2**32
    sample = training_sample(tables, channel, clip_ids, size=config.samples, seed=word_seed)
    wanted = CodebookConfig(words=min(config.words, len(sample)), samples=config.samples, runs=config.runs)
    codebook = fit_codebook(sample, wanted, seed=word_seed, jobs=jobs, progress=progress)
    save_codebook(kept, codebook, fingerprint=fingerprint)
    return codebook


class _Steps:
    """Counts and reports finished steps."""

    def __init__(self, progress: Progress, *, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def done(self, steps: int) -> None:
        self._done += steps
        self._progress("words", self._done, self._total)
