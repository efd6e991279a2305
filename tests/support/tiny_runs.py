"""Runs of a tiny network, as far as other programs see them."""

from __future__ import annotations

import torch

from fgbench.config import NetworkConfig
from fgbench.models.initialisation import initialise
from fgbench.models.msau import MsauNet
from fgbench.models.weights import save_weights
from fgbench.taxonomy import basics, ontology

NETWORK = {
    "trunk": {"input_px": 112, "stem": 4, "widths": [4, 4, 4, 8], "norm": "none"},
    "fc_hidden": None,
    "embedding": 8,
    "zooms": 1,
}
RECIPE = {
    "name": "tiny",
    "method": "MSAU-Net (Ours)",
    "network": NETWORK,
    "losses": {"alternate": False},
    "optimiser": {"epochs": 1, "learning_rate": 0.01},
    "data": {"resize_px": 256},
}


def write_tiny_weights(path, *, seed=0, has_basic=True, n_fine=33, network=None, **other):
    """Weights of a network with drawn values; further arguments replace or, if ``None``, remove metadata."""
    config = NetworkConfig.model_validate({**NETWORK, **(network or {})})
    model = MsauNet(config, n_fine=n_fine, n_basic=6 if has_basic else 0)
    initialise(model, torch.Generator().manual_seed(seed))
    metadata = {
        "kind": "image",
        "experiment": "tiny",
        "seed": seed,
        "classes": list(ontology("fg33").labels),
        "basic": list(basics()) if has_basic else [],
        "network": config.model_dump(mode="json"),
        "resize_px": 256,
        "mean": [120.0, 110.0, 100.0],
        "std": [60.0, 55.0, 50.0],
        **other,
    }
    known = {name: value for name, value in metadata.items() if value is not None}
    save_weights(path, model.state_dict(), known)
    return path
