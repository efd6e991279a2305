"""The images of a work folder that a network is trained on, chosen by and tested on, opened by role."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from fgbench.errors import DatasetError
from fgbench.inputs.image_set import ImageSet, open_image_set
from fgbench.inputs.manifest_pictures import image_ids
from fgbench.runs.roles import Roles
from fgbench.runs.samples import Sample, image_samples
from fgbench.training.context import TrainingContext

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImageRoles(Generic[T]):
    """Samples of the image set by role.

    Attributes:
        roles: The samples.
        train: Training samples, opened.
        selection: Validation samples, by which the epoch is chosen.
        test: Test samples that have a usable face.
    """

    roles: Roles
    train: T
    selection: T
    test: T


def open_image_roles(
    context: TrainingContext, opened: Callable[[Sequence[Sample]], T], *, copies: bool
) -> ImageRoles[T]:
    """Open the image set of a run's fold.

    Args:
        context: Context of the run.
        opened: Opens samples of one role.
        copies: Whether augmented copies train too.

    Raises:
        ConfigError: If the work folder has no such fold, or no training or test samples.
        DatasetError: If there are no images to choose the epoch on, or a class has no training image.
        ManifestError: If manifests are missing or damaged.
        MediaError: If a picture cannot be decoded or has another size.
    """
    samples = [s for s in image_samples(context.manifests) if copies or not s.is_copy]
    roles = context.roles(samples, protocol_name="images", with_features=image_ids(context.manifests))
    if not roles.selection:
        raise DatasetError(
            "there are no images to choose the epoch on", "give the part 'val' a weight in the recipe"
        )
    return ImageRoles(
        roles=roles,
        train=opened(roles.train),
        selection=opened(roles.selection),
        test=opened(roles.predicted),
    )


def open_images(context: TrainingContext, samples: Sequence[Sample], *, resident_mb: int) -> ImageSet:
    """Open samples with their stored faces, see :func:`fgbench.inputs.image_set.open_image_set`."""
    return open_image_set(
        context.manifests,
        samples,
        device=context.device,
        resident_mb=resident_mb,
        jobs=context.jobs,
        progress=context.progress,
        labels=context.labels,
    )
