"""Small backbones of insightface trained on drawn faces."""

import torch

from fgbench.config import InsightFaceConfig
from fgbench.models.iresnet import FaceHead, IResNet, IResNetClassifier
from fgbench.models.weights import load_weights

CPU = torch.device("cpu")
CLASSES = {"anger": (200, 40, 40), "panic": (40, 200, 40), "relief": (40, 40, 200)}
PARTS = ("train",) * 4 + ("val",) * 2 + ("test",) * 2
FAST = {"learning_rate": 0.003, "batch": 4, "epochs": 6, "patience": 6}


def narrow(_depth=50, _width=1.0):
    # torch 2.13 crashes in 1 x 1 convolutions with stride 2 of up to 8 channels that lie last in memory.
    return IResNet((1, 1, 1, 1), widths=(16, 16, 16, 16))


def config(**changes):
    plain = {"name": "insightface", "method": "InsightFace", "head_rate": 0.03, "optimiser": FAST}
    plain["crops"] = "stored"  # the work folder has no videos to cut wider faces from
    return InsightFaceConfig.model_validate(plain | changes)


def network(folder, head="softmax"):
    """The network of a run, put together by the test."""
    state, metadata = load_weights(folder / "weights.safetensors")
    model = IResNetClassifier(narrow(), FaceHead(33, kind=head)).eval()
    model.load_state_dict(state)
    return model, metadata


class KilledError(Exception):
    pass
