"""Frozen networks of pictures in folders of Hugging Face's layout, by ``transformers``.

Shapes: B pictures, T tokens, D features, K classes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch

from fgbench.errors import ConfigError, DependencyError, ManifestError, package_missing
from fgbench.methods.backbone.frozen import Frozen
from fgbench.methods.backbone.hf_runs import DENSE_POOLER, Features, Logits
from fgbench.methods.backbone.hf_safety import (
    PREPROCESSOR,
    folder_digest,
    read_config,
    read_object,
)
from fgbench.methods.backbone.torch_runs import TorchRuns, first_line
from fgbench.naming import first_few

_CLASSIFIER = "ForImageClassification"

_BICUBIC = 3
_LEVEL = 1.0 / 255.0


def open_hf(folder: Path, device: torch.device, *, pooling: Literal["auto", "cls", "mean"]) -> Frozen:
    """Open a folder.

    Args:
        folder: The folder.
        device: Device.
        pooling: As of the recipe.

    Raises:
        ConfigError: If the network takes no colour pictures.
        DependencyError: If transformers is not installed, or does not have the network.
        ManifestError: If the folder is refused, or its files are damaged or do not fit each other.
    """
    plain = read_config(folder)
    vision = plain.get("vision_config") if isinstance(plain.get("vision_config"), dict) else plain
    assert isinstance(vision, dict)
    if vision.get("num_channels", 3) != 3:
        raise ConfigError(
            f"{folder.name} takes pictures of {vision['num_channels']} channels, expected 3",
            "networks of grey pictures cannot be used; name one of colour pictures",
        )
    model, compares, is_classifier = _loaded(folder, plain)
    model.to(device).eval().requires_grad_(False)
    base = model.base_model if is_classifier else model
    return Frozen(
        path=folder,
        format="hf",
        name=folder.resolve().name,
        digest=folder_digest(folder),
        runs=TorchRuns(
            module=Features(base, pooling, compares=compares),
            classifier=Logits(model) if is_classifier else None,
            name=folder.name,
            device=device,
            n_classes=int(model.config.num_labels) if is_classifier else None,
        ),
        stated=_stated(folder),
        classes=_classes(plain) if is_classifier else (),
        reads=f"{type(base).__name__}, {'features of pictures' if compares else f'pooling {pooling}'}",
        tells_texts=compares,
        window=window_of(model.config),
    )


def window_of(config: Any) -> int:
    """Return the frames that a network of videos takes at once, by its configuration, 0 for pictures."""
    frames = getattr(config, "num_frames", 0)
    return frames if isinstance(frames, int) and not hasattr(config, "vision_config") else 0


def _loaded(folder: Path, plain: Mapping[str, Any]) -> tuple[Any, bool, bool]:
    """Return the network, whether it is of pictures and texts, and whether it has classes."""
    try:
        import transformers
        from transformers import AutoConfig, AutoModel, AutoModelForImageClassification
        from transformers.models.auto.modeling_auto import MODEL_MAPPING
    except ImportError as error:
        raise package_missing("folders of Hugging Face need", error.name, extra="backbone") from error
    safe = {"local_files_only": True, "trust_remote_code": False}
    try:
        config = AutoConfig.from_pretrained(folder, **safe)
        kind = MODEL_MAPPING[type(config)]
    except Exception as error:
        raise DependencyError(
            f"transformers {transformers.__version__} cannot open {folder}: model_type "
            f"{str(plain.get('model_type'))[:60]!r}, expected a network that it has",
            "install a newer version of transformers, or name another network",
        ) from error
    kind = kind[0] if isinstance(kind, tuple) else kind
    compares = hasattr(config, "vision_config") and hasattr(kind, "get_image_features")
    if not compares and getattr(kind, "main_input_name", "") != "pixel_values":
        raise ConfigError(
            f"{folder.name} ({kind.__name__}) takes no pictures, expected a network of pictures",
            "a network of texts or sounds alone cannot be used; name one of pictures",
        )
    architectures = plain.get("architectures") or []
    is_classifier = not compares and any(str(one).endswith(_CLASSIFIER) for one in architectures)
    opener = AutoModelForImageClassification if is_classifier else AutoModel
    try:
        with quiet(transformers):
            model, about = opener.from_pretrained(
                folder,
                config=config,
                dtype=torch.float32,
                use_safetensors=True,
                output_loading_info=True,
                **safe,
            )
    except Exception as error:
        raise ManifestError(
            f"the weights in {folder} are damaged or do not fit its config: {first_line(error)}",
            "download the folder again",
        ) from error
    absent = sorted(str(name) for name in about["missing_keys"] if DENSE_POOLER not in str(name))
    if absent or about.get("mismatched_keys"):
        raise ManifestError(
            f"the weights in {folder} do not fit {type(model).__name__}: they lack "
            f"{first_few(absent) or 'none'}, {len(about.get('mismatched_keys') or ())} are of another shape",
            "download the folder again, weights and config",
        )
    if not all(
        bool(value.isfinite().all()) for value in model.state_dict().values() if value.is_floating_point()
    ):
        raise ManifestError(f"the weights in {folder} are not all finite", "download the folder again")
    return model, compares, is_classifier


def _stated(folder: Path) -> dict[str, Any]:
    """Return what the files of a folder state of its input, by keys of the recipe's section ``input``."""
    whole = read_object(folder / PREPROCESSOR)
    if whole is None:
        return {"colours": "rgb"}
    size = (
        whole.get("crop_size")
        if whole.get("do_center_crop") and whole.get("crop_size")
        else whole.get("size")
    )
    if isinstance(size, dict):
        size = size.get("height", size.get("shortest_edge"))
    stated: dict[str, Any] = {"colours": "rgb", "size_px": size if isinstance(size, int) else None}
    is_rescaled = whole.get("do_rescale", True) is not False
    stated["scale"] = _number(whole.get("rescale_factor"), _LEVEL) if is_rescaled else 1.0
    if whole.get("do_normalize", True) is False:
        stated |= {"mean": (0.0,), "std": (1.0,)}
    else:
        stated |= {"mean": _listed(whole.get("image_mean")), "std": _listed(whole.get("image_std"))}
    if is_rescaled and whole.get("offset") and stated["mean"]:
        # ViViT takes 1 off the rescaled levels before it normalises them.
        stated["mean"] = tuple(1.0 + one for one in stated["mean"])
    stated["interpolation"] = "bicubic" if whole.get("resample") == _BICUBIC else "bilinear"
    return stated


def _number(value: Any, default: float) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e6
    return float(value) if is_number else default


def _listed(value: Any) -> tuple[float, ...] | None:
    listed = value if isinstance(value, list) else [value]
    is_right = len(listed) in (1, 3) and all(isinstance(one, int | float) for one in listed)
    return tuple(map(float, listed)) if is_right else None


def _classes(plain: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of a classifier's classes; empty where they are numbers alone."""
    named = plain.get("id2label")
    if not isinstance(named, dict):
        return ()
    try:
        names = [str(name) for _, name in sorted(named.items(), key=lambda item: int(item[0]))]
    except ValueError:
        return ()
    return () if all(re.fullmatch(r"LABEL_\d+", name) for name in names) else tuple(names)


@contextmanager
def quiet(transformers: Any) -> Iterator[None]:
    """Silence reports on weights, which are checked here."""
    log = transformers.utils.logging
    before = log.get_verbosity()
    had_bars = log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(before)
        if had_bars:
            log.enable_progress_bar()
