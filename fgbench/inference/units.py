"""A trained detector of action units, ready to be asked: faces in, probabilities of units out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from fgbench.inference.unit_test import open_au_network
from fgbench.inputs.preprocessing import Preprocessing
from fgbench.methods.msau.opened import Answer, face_tensor
from fgbench.models.drml import AuNet
from fgbench.runs.weights import Trained


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnitNetwork:
    """A trained detector of action units, asked as a network of images is.

    Attributes:
        model: In evaluation mode, on the device.
        preprocessing: From faces to what it sees.
        trained: Where it is from.
        device: Where it computes.
    """

    model: AuNet
    preprocessing: Preprocessing
    trained: Trained
    device: torch.device

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the units, in the order of the probabilities."""
        return tuple(self.trained.metadata["action_units"])

    @property
    def upper(self) -> tuple[str, ...]:
        """Empty: units have no upper classes."""
        return ()

    @property
    def n_zooms(self) -> int:
        """0: it looks at the whole face alone."""
        return 0

    @torch.inference_mode()
    def ask(self, faces: npt.NDArray[np.uint8]) -> Answer:
        """Units of faces: :attr:`Answer.fine` holds the probability of each unit by itself.

        Args:
            faces: (N, 224, 224, 3) uint8 RGB, aligned.

        Raises:
            ValueError: If they have another shape or type.
        """
        images = face_tensor(faces).to(self.device)
        found = self.model(self.preprocessing.centre(images)).float().sigmoid().cpu().numpy()
        n = len(found)
        return Answer(
            fine=found,
            basic_sum=np.zeros((n, 0), np.float32),
            basic_head=None,
            boxes=np.zeros((n, 0, 4), np.float32),
        )


def open_units(trained: Trained, device: torch.device) -> UnitNetwork:
    """Build the detector that weights are of.

    Raises:
        ManifestError: If they are of another kind, or do not fit the network that they tell of.
    """
    model, preprocessing = open_au_network(trained, device)
    return UnitNetwork(model=model, preprocessing=preprocessing, trained=trained, device=device)
