"""Baseline ``lbp-svm``: one-vs-rest SVM on local binary patterns (paper section III; Shan et al. 2009).

Fits on the images of the training part, copies included; chooses kernel and C, and calibrates, on the
original images of the validation part; predicts the original images of the test part. Above a number of
training images that the recipe states, kernels are approximated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from fgbench.baselines._lbp_features import read_ids, read_matrices, read_width
from fgbench.baselines._lbp_kernels import lbp_kernels
from fgbench.baselines._svm_run import require_plan, run_svm
from fgbench.config import LbpSvmConfig
from fgbench.evaluation.place import Progress, RunPlace
from fgbench.evaluation.roles import Roles
from fgbench.evaluation.samples import image_samples
from fgbench.hashing import hash_u64
from fgbench.svm.nystroem import nystroem_bytes_needed
from fgbench.svm.one_vs_rest import Candidate, bytes_needed
from fgbench.svm.primal import linear_bytes_needed

NEEDS = ("lbp",)
"""Stages of features that have to be enabled."""
RECIPE = LbpSvmConfig
"""What its recipes are."""


def run(config: LbpSvmConfig, place: RunPlace) -> Path:
    """Run the baseline on a prepared work folder.

    Args:
        config: The recipe.
        place: Where; of this baseline only the landmarks of an approximation are random.

    Returns:
        Folder of the run.

    Raises:
        DatasetError: If a class or a part has no images, or a feature is not finite.
        ManifestError: If manifests or features are missing.
        ResourceError: If what the recipe's solver takes for so many training images does not fit into memory.
    """
    folder = place.manifests / "features" / "lbp"
    known = read_ids(folder)
    roles = place.roles(image_samples(place.manifests), protocol_name="images", known=known)
    plan_memory(roles, config, width=read_width(folder), n_classes=len(place.labels.labels), jobs=place.jobs)
    parts = (roles.train, roles.selection, roles.predicted)
    train, selection, predicted = read_matrices(
        folder, [[sample.sample_id for sample in part] for part in parts]
    )
    kernels = lbp_kernels(
        config, train, selection, seed=hash_u64("landmarks", place.seed) % 2**32, jobs=place.jobs
    )
    return run_svm(
        config,
        place,
        roles=roles,
        candidates=told(kernels.candidates(), place.progress),
        test_values=lambda parameters: kernels.of(predicted, parameters),
        details={"kind": "image"},
    )


def told(candidates: Sequence[Candidate], progress: Progress) -> Iterator[Candidate]:
    """The candidates, with progress."""
    for done, candidate in enumerate(candidates):
        progress("kernels", done, len(candidates))
        yield candidate
    progress("kernels", len(candidates), len(candidates))


def plan_memory(
    roles: Roles,
    config: LbpSvmConfig,
    *,
    width: int,
    n_classes: int,
    jobs: int | None,
    available: int | None = None,
) -> None:
    """Refuse more training images than memory has room for, before any kernel is computed.

    Args:
        roles: The samples.
        config: The recipe.
        width: Features of an image.
        n_classes: Classes.
        jobs: Machines fitted at the same time.
        available: Bytes that are there; ``None`` asks the system.

    Raises:
        ResourceError: If what the recipe's solver takes does not fit.
    """
    n, m = len(roles.train), max(len(roles.selection), len(roles.predicted))
    held = 4 * width * (n + len(roles.selection) + len(roles.predicted))
    if config.solver_for(n) == "exact":
        needed = held + 4 * width * (n + m) + bytes_needed(n, m, n_classes, jobs=jobs)
    else:
        landmarks = min(config.landmarks, n)
        needed = held + max(
            linear_bytes_needed(n, width, n_classes, jobs=jobs),
            nystroem_bytes_needed(n, m, landmarks, jobs=jobs)
            + linear_bytes_needed(n, landmarks, n_classes, jobs=jobs),
        )
    require_plan(
        needed,
        config,
        n=n,
        what="training images",
        fewer="prepare a work folder with fewer training images (without copies: augment.balance: none or "
        "augment.copies: 0 in its recipe)",
        available=available,
    )
