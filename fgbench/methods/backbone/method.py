"""Baseline ``backbone``: any network of the user's, frozen or trained on, under the same protocol.

Takes ONNX files, folders of Hugging Face's layout and files of torch; nothing in them is run, and nothing is
downloaded unless asked for. A head (logistic regression, linear or RBF SVM, nearest neighbours) is chosen and
fitted on the features as ``lbp-svm`` chooses; or, without any training, the network's own classes or its
comparison with sentences are scored; or the network is trained on with a head (``finetune``). Not stated in
the paper. Writes, beside what `fgbench.runs.results` does, ``weights.safetensors`` (the head, and what was
trained of the network), ``prepared_face.png`` and ``README.md`` into the folder of the run; features of
frozen networks are kept in ``cache/features/``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fgbench.config import BackboneConfig
from fgbench.errors import ConfigError, package_missing
from fgbench.methods.finetuning.choice import read_choice

RECIPE = BackboneConfig
DEVICE = True
NEEDS = ("wide_faces",)
"""Stages of features that have to be enabled; with the stored crop none."""

OPTIONS = {
    "onnx": ("file", "Network: an ONNX file."),
    "hf": ("name", "Network: a folder with config.json and *.safetensors."),
    "torch": ("file", "Network: a file of weights alone, .safetensors or .pth; --arch names its network."),
    "arch": ("name", "Architecture of --torch: resnet50, iresnet50, vit, convnext, timm/NAME, ..."),
    "download": ("switch", "Let --hf name a repository of the Hub, and download it."),
    "finetune": ("name", "Train its weights too: all, last-N (its last N blocks), or lora (adapters)."),
    "zero_shot": ("switch", "Train nothing: score its own classes, or compare faces with sentences (CLIP)."),
    "classes": ("file", "Names of its own classes, in the order of its outputs: one a line, or a JSON list."),
    "map": ("names", "Its class = class of the data set, e.g. happy=happiness; NAME= leaves it out."),
    "prompts": ("file", "YAML file of sentences on classes, beside the packed ones."),
    "licence": ("name", "Licence of the network, for the model card."),
}
"""Options of the command beside those of all runs."""


def check_options(
    *, onnx: Path | None, hf: str | None, torch: Path | None = None, arch: str | None = None, **others: Any
) -> None:
    """Refuse options that do not go together.

    Raises:
        ConfigError: If no network or two are named, or an option is of no use with the others.
    """
    named = [one for one in (onnx, hf, torch) if one is not None]
    if len(named) != 1:
        raise ConfigError(
            f"{len(named)} networks are named, expected one: an ONNX file, a folder, or a file of torch",
            "name it: --onnx FILE, --hf FOLDER or --torch FILE; in Python onnx=..., hf=... or torch=...",
        )
    if torch is not None and arch is None:
        raise ConfigError(
            "a file of torch holds weights alone, expected the name of their network too",
            "name it with --arch, e.g. --arch resnet50, --arch iresnet50, --arch vit",
        )
    if arch is not None and torch is None:
        raise ConfigError(
            f"arch {arch!r}, and no file of torch, whose network it names",
            "leave --arch out, or add --torch FILE",
        )
    if others.get("download") and hf is None:
        raise ConfigError("download, and no repository is named, expected --hf NAME", "leave --download out")
    if others.get("finetune") is not None:
        read_choice(str(others["finetune"]))
        if onnx is not None:
            raise ConfigError(
                "finetune, and an ONNX file, whose network cannot be trained, expected a folder or a file of "
                "torch",
                "name the network by --hf FOLDER or --torch FILE; or leave --finetune out: a head is trained",
            )
        if others.get("zero_shot"):
            raise ConfigError(
                "finetune and zero_shot, which trains nothing, expected one of them", "leave one of them out"
            )
    if not others.get("zero_shot"):
        for key in ("map", "prompts"):
            if others.get(key):
                raise ConfigError(
                    f"{key} without zero_shot, which it is for", f"leave --{key} out, or add --zero-shot"
                )


def needs(config: BackboneConfig, **_options: Any) -> tuple[str, ...]:
    """Return the stages of features that a recipe needs."""
    return () if config.input.crop == "stored" else NEEDS


def run(
    config: BackboneConfig,
    context: Any,
    onnx: Path | None = None,
    hf: str | None = None,
    torch: Path | None = None,
    arch: str | None = None,
    download: bool = False,
    finetune: str | None = None,
    zero_shot: bool = False,
    classes: Path | None = None,
    map: Sequence[str] | None = None,  # noqa: A002 - name of the option
    prompts: Path | None = None,
    licence: str | None = None,
) -> Path:
    """Fit a head on the features of a network, or take it as it is, and predict the test images.

    Args:
        config: The recipe.
        context: Context of the run; of its seed depend landmarks of an approximated kernel, and all of
            ``finetune``.
        onnx: An ONNX file.
        hf: A folder, or with ``download`` the name of a repository.
        torch: A file of weights alone.
        arch: Name of their network.
        download: Whether it may be downloaded.
        finetune: What of it is trained on: ``"all"``, ``"last-N"``, ``"lora"``; ``None``: nothing.
        zero_shot: Whether nothing is trained.
        classes: File with the names of the network's own classes.
        map: ``"class=class of the data set"`` for classes of the network.
        prompts: File of sentences.
        licence: Licence of the network as the user states it.

    Returns:
        Folder of the run.

    Raises:
        ConfigError: If the network takes no colour pictures, its input is not stated or absurd, it cannot be
            trained as asked, training diverges, or a finished run of the name was made otherwise.
        DatasetError: If a part has no images, or a class no training images.
        DependencyError: If a package is not installed.
        ManifestError: If manifests or the network's files are missing, damaged or refused.
        MediaError: If a picture cannot be decoded.
        ResourceError: If memory or disk are full, or another process makes the run.
    """
    try:
        from fgbench.methods.backbone.asked import Asked
        from fgbench.methods.backbone.run import run_backbone
    except ImportError as error:
        raise package_missing("frozen networks need", error.name, extra="backbone") from error
    asked = Asked(
        onnx=onnx,
        hf=hf,
        torch=torch,
        arch=arch,
        download=download,
        zero_shot=zero_shot,
        classes=classes,
        mapping=tuple(map or ()),
        prompts=prompts,
        licence=licence,
    )
    if finetune is not None:
        from fgbench.methods.finetuning.run import run_finetuned

        return run_finetuned(config, context, asked, finetune)
    return run_backbone(config, context, asked)
