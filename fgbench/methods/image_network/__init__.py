"""Users' own image networks: any torch module from faces to logits, trained, tested and used as others.

A method that is such a network calls :func:`run` to train and :func:`open_trained` to use its weights,
and passes both its ``build(config, n_classes)``. The module takes normalised RGB faces, float32
(B, 3, 224, 224), and gives logits (B, n_classes). See docs/extending/networks.md.
"""

from __future__ import annotations

from fgbench.methods.image_network.run import Build, run
from fgbench.methods.image_network.trained import OwnImageNetwork, open_trained

__all__ = ["Build", "OwnImageNetwork", "open_trained", "run"]
