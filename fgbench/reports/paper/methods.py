"""Methods of Table II: their order, and the command that runs each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method of the paper.

    Attributes:
        name: Name in the paper, which ``details["method"]`` of a run states.
        source: Whether it uses images or clips.
        recipe: Name of its packed recipe; recipes with other settings have a suffix.
        command: Command that runs it.
        is_ablation: Whether it is MSAU-Net or TMSAU-Net with or without one of their parts, so that it
            compares only with runs of the same settings.
    """

    name: str
    source: Literal["image", "video"]
    recipe: str
    command: str
    is_ablation: bool = False

    def settings(self, experiment: str) -> str | None:
        """Suffix of an experiment's settings, e.g. ``"-small"``; ``None`` for users' own recipes."""
        rest = experiment.removeprefix(self.recipe)
        return rest if experiment.startswith(self.recipe) and (not rest or rest[0] == "-") else None


MSAU = Method(
    name="MSAU-Net (Ours)",
    source="image",
    recipe="msau",
    command="fgbench train msau",
    is_ablation=True,
)

PROGRESSIVE = Method(
    name="MSAU-Net, progressive",
    source="image",
    recipe="msau-progressive",
    command="fgbench train msau --variant msau-progressive",
)
"""MSAU-Net with one to six regions (paper section V-E), no row of Table II."""

NAN = Method(name="NAN", source="video", recipe="nan", command="fgbench baseline nan", is_ablation=True)
"""The spatial stream alone (paper section V-C)."""

TMSAU = Method(
    name="TMSAU-Net (Ours)",
    source="video",
    recipe="tmsau",
    command="fgbench train tmsau",
    is_ablation=True,
)

VGG_LSTM = Method(
    name="TMSAU-Net, VGG16-LSTM",
    source="video",
    recipe="tmsau-vgg-lstm",
    command="fgbench train tmsau --temporal vgg-lstm",
    is_ablation=True,
)

C3D_LSTM = Method(
    name="TMSAU-Net, C3D-LSTM",
    source="video",
    recipe="tmsau-c3d-lstm",
    command="fgbench train tmsau --temporal c3d-lstm",
    is_ablation=True,
)

BACKBONES = {"Optical Flow": TMSAU, "VGG16-LSTM": VGG_LSTM, "C3D-LSTM": C3D_LSTM}
"""Columns of Table V: temporal backbone to method (paper section V-F)."""

METHODS = (
    Method(name="LBP+SVM", source="image", recipe="lbp-svm", command="fgbench baseline lbp-svm"),
    Method(
        name="Plain CNN",
        source="image",
        recipe="plain-cnn",
        command="fgbench baseline plain-cnn",
        is_ablation=True,
    ),
    Method(
        name="InsightFace",
        source="image",
        recipe="insightface",
        command="fgbench baseline insightface --weights backbone.pth",
    ),
    Method(
        name="AU+CNN",
        source="image",
        recipe="au-cnn",
        command="fgbench train msau --variant au-cnn",
        is_ablation=True,
    ),
    Method(
        name="AU+Z-CNN",
        source="image",
        recipe="au-z-cnn",
        command="fgbench train msau --variant au-z-cnn",
        is_ablation=True,
    ),
    MSAU,
    Method(
        name="DenseTraj", source="video", recipe="dense-traj-svm", command="fgbench baseline dense-traj-svm"
    ),
    Method(
        name="Plain TSNet",
        source="video",
        recipe="plain-tsnet",
        command="fgbench baseline plain-tsnet",
        is_ablation=True,
    ),
    NAN,
    TMSAU,
)
"""Rows of Table II, in its order."""

PAPER_METHODS = frozenset(method.name for method in (*METHODS, PROGRESSIVE, *BACKBONES.values()))
"""Names of all methods of the paper, whether rows of Table II or not."""


def source_of(details: Mapping[str, Any], method: str) -> str:
    """``"image"`` or ``"video"``, from the details of a run, else from its method; else ``""``."""
    kind = details.get("kind")
    sources = {one.name: one.source for one in METHODS}
    return str(kind if kind in ("image", "video") else sources.get(method, ""))
