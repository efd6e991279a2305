"""Tiny networks of random values in the formats of frozen networks, and a work folder for them."""

from __future__ import annotations

import json
import warnings

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class TinyCnn(nn.Module):
    """Colour pictures of any size to 80 features and, with ``classes``, logits."""

    def __init__(self, classes=0, seed=0, channels=3):
        super().__init__()
        torch.manual_seed(seed)
        self.convolution = nn.Conv2d(channels, 20, 5, stride=4)
        self.features = nn.Linear(20 * 4, 80)
        self.head = nn.Linear(80, classes) if classes else None

    def forward(self, pictures):
        maps = torch.tanh(self.convolution(pictures))
        pooled = torch.nn.functional.adaptive_avg_pool2d(maps, 2).flatten(1)
        features = torch.tanh(self.features(pooled))
        return features if self.head is None else self.head(features)

    def embed(self, pictures):
        """Features whether or not there are classes."""
        head, self.head = self.head, None
        try:
            return self(pictures)
        finally:
            self.head = head


def write_onnx(path, module, *, side=32, rows=None, channels=3, metadata=None):
    """Export a module; the number of pictures is free unless ``rows`` are named."""
    example = torch.zeros(rows or 2, channels, side, side)
    free = None if rows else {0: torch.export.Dim("n", min=1)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module.eval(), (example,), dynamo=True, verbose=False, dynamic_shapes=(free,) if free else None
        )
    model = program.model_proto
    helper.set_model_props(model, {key: str(value) for key, value in (metadata or {}).items()})
    path.write_bytes(model.SerializeToString())
    return path


def stated(**more):
    """Metadata that state the input as torch's own networks take it."""
    return {
        "scale": 1 / 255,
        "mean": json.dumps(MEAN),
        "std": json.dumps(STD),
        "colours": "RGB",
        **more,
    }


def linear_graph(path, *, shape=("n", 3, 32, 32), weights=None, inputs=None, external=None):
    """A graph by hand: pictures flattened and multiplied by a matrix; ``external`` is where that is kept."""
    size = int(np.prod([one for one in shape[1:] if isinstance(one, int)]))
    matrix = (
        np.random.default_rng(1).normal(size=(size, 96)).astype(np.float32) if weights is None else weights
    )
    tensor = numpy_helper.from_array(matrix, "matrix")
    if external is not None:
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=external)
    taken = inputs or [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, list(shape))]
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", [taken[0].name], ["flat"]),
            helper.make_node("MatMul", ["flat", "matrix"], ["features"]),
        ],
        "tiny",
        taken,
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, None)],
        [tensor],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    path.write_bytes(model.SerializeToString())
    return matrix


def write_text_onnx(path):
    """A graph of texts: numbers of words in, features out."""
    taken = onnx.helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["n", 16])
    linear_graph(path, shape=("n", 16), inputs=[taken])


TINY_VIT = {
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "image_size": 32,
    "patch_size": 8,
}
"""Sizes of a small vision transformer."""


def vit_config(**changes):
    from transformers import ViTConfig

    return ViTConfig(**TINY_VIT | changes)


def write_vit(folder, *, classes=None, seed=0, processor=True):
    """A folder with a vision transformer, a classifier with ``classes``; return the network."""
    from transformers import ViTForImageClassification, ViTModel

    torch.manual_seed(seed)
    named = dict(enumerate(classes)) if classes else None
    config = vit_config(
        **({"id2label": named, "label2id": {b: a for a, b in named.items()}} if named else {})
    )
    model = ViTForImageClassification(config) if classes else ViTModel(config)
    model.eval().save_pretrained(folder)
    if processor:
        write_processor(folder)
    return model


def write_processor(folder, *, side=32, **changes):
    """The settings of a processor of pictures."""
    plain = {
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(MEAN),
        "image_std": list(STD),
        "size": {"height": side, "width": side},
        "resample": 2,
        **changes,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(plain))


def write_clip(folder, *, seed=0):
    """A folder with a network of pictures and texts, and a tokenizer that knows letters."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import CLIPConfig, CLIPModel, PreTrainedTokenizerFast

    torch.manual_seed(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = {"<s>": 0, "</s>": 1, **{letter: 2 + number for number, letter in enumerate(letters)}}
    config = CLIPConfig(
        text_config={
            "hidden_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 32,
            "vocab_size": len(words),
            "max_position_embeddings": 40,
            "eos_token_id": 1,
            "bos_token_id": 0,
            "pad_token_id": 1,
        },
        vision_config={
            "hidden_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 32,
            "image_size": 32,
            "patch_size": 8,
        },
        projection_dim=16,
    )
    model = CLIPModel(config).eval()
    model.save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<s>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="</s>", unk_token="<s>"
    ).save_pretrained(folder)
    write_processor(folder)
    return model
