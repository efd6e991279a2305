"""Settings of the optical flow of a work folder, which have to be the same in training and test.

Reads the recipe that the work folder was prepared with. Bytes of another bound cannot be converted exactly:
clipped values are lost, and steps of another size are rounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fgbench.config import OpticalFlowConfig
from fgbench.errors import ConfigError, ManifestError
from fgbench.runs.weights import Trained
from fgbench.training.context import TrainingContext
from fgbench.workfolders.folder import published_recipe

FLOW_ORIGIN = "optical_flow"
"""Key of the metadata of weights, and of the details of a result."""

_DECIDES = {"size_px", "method", "bound_px"}


def flow_of(workdir: Path) -> dict[str, Any]:
    """Return size in px, method and bound in px of the optical flow of a work folder, as plain values.

    Raises:
        ManifestError: If it is no work folder, or its recipe is damaged.
    """
    recipe = published_recipe(workdir)
    try:
        config = OpticalFlowConfig.model_validate(recipe.get("optical_flow") or {})
    except ValidationError as error:
        raise ManifestError(
            f"the recipe of {workdir} does not tell how optical flow is computed", "run fgbench prepare again"
        ) from error
    return config.model_dump(mode="json", include=_DECIDES)


def refuse_other_flow(trained: Trained, context: TrainingContext) -> None:
    """Refuse a work folder whose optical flow was computed with other settings than in training.

    Weights of an earlier version, which do not state them, are accepted with a note to the user.

    Args:
        trained: Weights of a clip network that takes optical flow.
        context: The work folder that it is tested on.

    Raises:
        ConfigError: If the settings differ.
        ManifestError: If the work folder does not state them.
    """
    flow: Mapping[str, Any] | None = trained.metadata.get(FLOW_ORIGIN)
    if flow is None:
        context.note(f"{trained.name} does not tell how the optical flow was computed that it was trained on")
        return
    here = flow_of(context.workdir)
    if here != {key: flow[key] for key in here}:
        settings = ", ".join(f"{key}: {flow[key]}" for key in here)
        raise ConfigError(
            f"{trained.name} was trained on optical flow of {_words(flow)}, but {context.workdir} has "
            f"{_words(here)}, expected the same",
            f"prepare it with optical_flow: {{{settings}}} in the recipe",
        )


def _words(flow: Mapping[str, Any]) -> str:
    return f"{flow['size_px']} px by {flow['method']} up to {flow['bound_px']:g} px"
