"""Baseline ``video-backbone``: any frozen network of the user's on the frames of clips.

A network of pictures describes frames, one of videos (VideoMAE, ViViT, TimeSformer) windows of frames. The
mean of a clip's features is classified by a head as of ``backbone``; or attention over them is trained, as in
NAN. Not stated in the paper. Writes, beside what `fgbench.runs.results` does, ``weights.safetensors``,
``streams.parquet``, ``prepared_face.png``, ``README.md`` and, with attention, ``attention.parquet``,
``history.json`` and ``log/`` into the folder of the run; features are kept in ``cache/features/``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fgbench.config import VideoBackboneConfig
from fgbench.errors import package_missing
from fgbench.methods.backbone.method import check_options as check_network

RECIPE = VideoBackboneConfig
DEVICE = True
NEEDS = ()

OPTIONS = {
    "onnx": ("file", "Network of pictures: an ONNX file."),
    "hf": ("name", "Network of pictures or videos: a folder with config.json and *.safetensors."),
    "torch": ("file", "Network: a file of weights alone, .safetensors or .pth; --arch names its network."),
    "arch": ("name", "Architecture of --torch: resnet50, iresnet50, vit, videomae, timm/NAME, ..."),
    "download": ("switch", "Let --hf name a repository of the Hub, and download it."),
    "licence": ("name", "Licence of the network, for the model card."),
}
"""Options of the command beside those of all runs."""


def check_options(**options: Any) -> None:
    """Refuse options that do not go together.

    Raises:
        ConfigError: If no network or two are named, or an option is of no use with the others.
    """
    check_network(**options)


def run(
    config: VideoBackboneConfig,
    context: Any,
    onnx: Path | None = None,
    hf: str | None = None,
    torch: Path | None = None,
    arch: str | None = None,
    download: bool = False,
    licence: str | None = None,
) -> Path:
    """Classify clips on the features of a frozen network, and predict the test clips.

    Args:
        config: The recipe.
        context: Context of the run.
        onnx: An ONNX file.
        hf: A folder, or with ``download`` the name of a repository.
        torch: A file of weights alone.
        arch: Name of their network.
        download: Whether it may be downloaded.
        licence: Licence of the network as the user states it.

    Returns:
        Folder of the run.

    Raises:
        ConfigError: If the network takes neither colour pictures nor videos, its input is not stated or
            absurd, training diverges, or a finished run of the name was made otherwise.
        DatasetError: If a part has no clips, or a class no training clips.
        DependencyError: If a package is not installed.
        ManifestError: If manifests or the network's files are missing, damaged or refused.
        MediaError: If a picture cannot be decoded.
        ResourceError: If memory or disk are full, or another process makes the run.
    """
    try:
        from fgbench.methods.backbone.asked import Asked
        from fgbench.methods.video_backbone.run import run_video_backbone
    except ImportError as error:
        raise package_missing("frozen networks need", error.name, extra="backbone") from error
    asked = Asked(onnx=onnx, hf=hf, torch=torch, arch=arch, download=download, licence=licence)
    return run_video_backbone(config, context, asked)
