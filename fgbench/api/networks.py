"""``fgbench.load``: trained networks, used on pictures, videos and aligned faces."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fgbench.api.arguments import name_or_none, path_of, switch
from fgbench.api.face_arrays import stacked
from fgbench.api.faces import Face, Picture, as_frame
from fgbench.api.predictions import Prediction
from fgbench.api.progress import Shown
from fgbench.api.showing import paragraph
from fgbench.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    from fgbench.api.exporting import ExportedOnnx, ExportedWeights
    from fgbench.api.predicted import PredictedFiles, Told
    from fgbench.inference.files import FilePrediction
    from fgbench.inference.own_networks import OpenedNetwork


class Network:
    """A trained network, ready to be used; see :func:`load`."""

    def __init__(self, own: OpenedNetwork) -> None:
        if not hasattr(own, "network"):
            raise ConfigError("a network is loaded from its run", "e.g. fgbench.load(folder)")
        self._own = own

    @property
    def name(self) -> str:
        """The run that it comes from, or its file."""
        return self._own.network.trained.name

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, or of the action units, in the order of :meth:`probabilities`."""
        return self._own.network.classes

    @property
    def is_units(self) -> bool:
        """Whether it detects action units."""
        return self._own.network.task == "units"

    def predict(self, picture: Picture) -> Prediction:
        """Return the prediction for the face in a picture, or in a video.

        Faces are searched and aligned as those that the network was trained on.

        Args:
            picture: Path of a picture or video; or pixels, (H, W, 3) uint8 RGB.

        Returns:
            Also where there is no usable face, and of files that cannot be read: ``status`` tells why.

        Raises:
            ConfigError: If it is no picture.
            DependencyError: If a model file is missing.
        """
        if isinstance(picture, str | os.PathLike):
            return self._of(self._own.predict(path_of("picture", picture, example="'photo.jpg'")))
        return self._of(self._own.predict_frame(as_frame(picture)), is_file=False)

    def predict_all(self, picture: Picture) -> list[Prediction]:
        """Return the prediction for every face in a picture, from left to right; errors as of
        :meth:`predict`.

        Without a face, and of a video, the one prediction of :meth:`predict`.
        """
        if isinstance(picture, str | os.PathLike):
            path = path_of("picture", picture, example="'photo.jpg'")
            return [self._of(prediction) for prediction in self._own.predict_everyone(path)]
        return [
            self._of(prediction, is_file=False)
            for prediction in self._own.predict_everyone_in(as_frame(picture))
        ]

    def predict_files(
        self,
        paths: Sequence[str | os.PathLike[str]],
        out: str | os.PathLike[str],
        *,
        top: int = 5,
        all_faces: bool = False,
        progress: Shown = None,
        told: Told | None = None,
    ) -> PredictedFiles:
        """Predict pictures and videos, and write a table of all, per file with a face a picture of it, and
        per video a table of its frames; of action units ``action_units.csv`` too, a row per file and frame.

        What cannot be read has a row with the reason.

        Args:
            paths: Pictures and videos.
            out: Folder for pictures and tables; created if missing.
            top: Classes that pictures show.
            all_faces: Whether every face in a picture has a row.
            progress: Whether bars are shown; ``None``: in terminals and notebooks; or a function that is
                called with a name, the number done, and the total.
            told: Called with lines of text on each file when it is done; ``None``: nobody is told.

        Raises:
            ConfigError: If a file would replace one that fgbench did not write.
            DependencyError: If a model file is missing.
            ResourceError: If a file cannot be written.
        """
        from fgbench.api.predicted import predict_files

        return predict_files(
            self._own, paths, out, top=top, all_faces=all_faces, progress=progress, told=told
        )

    def export_onnx(self, path: str | os.PathLike[str], *, check: bool = True) -> ExportedOnnx:
        """Write the network as ONNX: faces in, probabilities out.

        Args:
            path: The file.
            check: Whether it is compared with the network, on random values and test faces.

        Raises:
            ConfigError: If a file is there that is no ONNX, or the path is a folder.
            DependencyError: If a package of the extra ``export`` is not installed.
            ResourceError: If the file cannot be written.
        """
        from fgbench.api.exporting import export_onnx

        target = path_of("path", path, example="'network.onnx'")
        is_checked = switch("check", check)
        return export_onnx(self._own.network.trained, target, check=is_checked)

    def export_weights(self, path: str | os.PathLike[str]) -> ExportedWeights:
        """Copy the weights, and their model card beside them (``.md``).

        Args:
            path: The file, with the suffix ``.safetensors``.

        Raises:
            ConfigError: If the suffix is another, or a file is there that is none of weights, or no card.
            ResourceError: If a file cannot be written.
        """
        from fgbench.api.exporting import export_weights

        target = path_of("path", path, example="'network.safetensors'")
        return export_weights(self._own.network.trained, target)

    def probabilities(
        self, faces: Face | npt.NDArray[np.uint8] | Sequence[Face | npt.NDArray[np.uint8]]
    ) -> pd.DataFrame:
        """Return probabilities of aligned faces, a row each, a column per class or action unit.

        Args:
            faces: (N, 224, 224, 3) uint8 RGB, aligned as those that the network was trained on: faces of
                :func:`fgbench.align`, or pictures of a work folder.

        Raises:
            ConfigError: If they have another shape or type, or the network needs more than the aligned face.
        """
        import pandas as pd

        stack = stacked(faces)
        if stack.dtype != np.uint8 or stack.shape[1:] != (224, 224, 3):
            raise ConfigError(
                f"faces of shape {stack.shape} and type {stack.dtype}, expected (N, 224, 224, 3) uint8 RGB",
                "align them with fgbench.align; pictures that are not aligned: predict()",
            )
        if self._own.network.needs_landmarks:
            raise ConfigError(
                f"{self.name} cuts crops of its own from the picture", "use predict() on the pictures"
            )
        if not self._own.network.takes_single_faces:
            raise ConfigError(f"{self.name} tells classes by movement", "use predict() on videos")
        batches = [
            self._own.network.predict_faces(stack[start : start + 64]).fine
            for start in range(0, len(stack), 64)
        ]
        none = np.empty((0, len(self.classes)), np.float32)
        return pd.DataFrame(np.concatenate([none, *batches]), columns=list(self.classes))

    def _of(self, prediction: FilePrediction, *, is_file: bool = True) -> Prediction:
        shares, portrait = prediction.probabilities, prediction.portrait
        network = self._own.network
        box = prediction.box_xyxy if portrait is None else portrait.box_xyxy
        return Prediction(
            path=prediction.path if is_file else None,
            status=prediction.status,
            message=prediction.message,
            probabilities={} if shares is None else _named(network.classes, shares.fine),
            upper={} if shares is None else _named(network.upper, shares.basic),
            box_xyxy=box,
            n_people=prediction.n_people,
            n_frames=prediction.n_frames,
            n_faces=prediction.n_faces,
            is_units=self.is_units,
        )

    def __repr__(self) -> str:
        kind = "action units" if self.is_units else "classes"
        return f"<Network {self.name}: {len(self.classes)} {kind}, on {self._own.network.device}>"

    def _repr_html_(self) -> str:
        return paragraph(repr(self)[1:-1]) + paragraph(", ".join(self.classes))


def _named(names: Sequence[str], shares: npt.NDArray[np.float32]) -> dict[str, float]:
    return dict(zip(names, shares.tolist(), strict=True))


def load(
    run: str | os.PathLike[str], workdir: str | os.PathLike[str] = ".", *, device: str | None = None
) -> Network:
    """Return a trained network.

    Args:
        run: Folder of a run, e.g. ``fgbench-data/my-clips/work/runs/msau/0/0``, its weights, or a name below
            ``workdir``.
        workdir: Work folder that a name is looked for in, before those below ``fgbench-data``.
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``; ``None``: a GPU if there is one.

    Raises:
        ConfigError: If several runs are meant, or there is no such device.
        DependencyError: If torch is not installed.
        ManifestError: If there are no such weights, or they are damaged.
    """
    from fgbench.api.needed_packages import require_torch
    from fgbench.api.weights import named_weights

    path = path_of("run", run, example="'my-clips/work/runs/msau-small/0/0'")
    folder = path_of("workdir", workdir, example="'fgbench-data/my-clips/work'")
    named = name_or_none("device", device, example="device='cpu'")
    require_torch()
    from fgbench.inference.own_networks import open_own
    from fgbench.runs.weights import read_trained
    from fgbench.training.device import resolve

    return Network(open_own(read_trained(named_weights(path, folder)), resolve(named)))
