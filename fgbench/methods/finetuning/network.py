"""A network of the user's with a linear head, of which a part trains.

Shapes: B pictures, D features, K classes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fgbench.config import FinetuneConfig
from fgbench.methods.backbone.frozen import Frozen
from fgbench.methods.backbone.head import Head as Classifier
from fgbench.methods.backbone.torch_runs import TorchRuns
from fgbench.methods.finetuning.about import TunedAbout
from fgbench.methods.finetuning.adapters import (
    adapter_state,
    add_adapters,
    draw_adapters,
    is_adapter,
    targets_of,
)
from fgbench.methods.finetuning.choice import Choice
from fgbench.methods.finetuning.course import course_of
from fgbench.models.initialisation import Head, initialise
from fgbench.training.randomness import generator


class Tuned(nn.Module):
    """A network with a linear head, of which a part trains; all else stays in evaluation mode.

    Args:
        network: Prepared pictures (B, 3, S, S) to features (B, D); it is changed.
        head: To logits (B, K).
        dropout: Dropout before the head.
        about: What of it trains.
        modules: Names of the modules that train, those below them not included.
        parameters: Names of the parameters that train.
    """

    def __init__(
        self,
        network: nn.Module,
        head: Head,
        *,
        dropout: float,
        about: TunedAbout,
        modules: frozenset[str],
        parameters: frozenset[str],
    ) -> None:
        super().__init__()
        self.network, self.head, self.dropout = network, head, nn.Dropout(dropout)
        self.about = about
        self._modules_that_train = modules
        for name, value in network.named_parameters():
            value.requires_grad_(name in parameters)
        self.train(False)

    def forward(self, prepared_B3SS: Tensor) -> Tensor:
        """Return logits (B, K) float32."""
        logits: Tensor = self.head(self.dropout(self.network(prepared_B3SS))).float()
        return logits

    def train(self, mode: bool = True) -> Tuned:
        """Switch what trains: normalisation of what stays keeps its statistics, dropout there stays off."""
        super().train(mode)
        for name, module in self.network.named_modules():
            module.training = mode and name in self._modules_that_train
        return self

    def parts(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """Return the parameters that train: those of the network, and those of the head."""
        return [one for one in self.network.parameters() if one.requires_grad], list(self.head.parameters())

    def state(self) -> dict[str, Tensor]:
        """Return what training may have changed of the network, by its names there."""
        if self.about.kind == "lora":
            return adapter_state(self.network)
        trained = {name for name, value in self.network.named_parameters() if value.requires_grad}
        whole = self.network.state_dict()
        buffers = {
            f"{name}.{own}" if name else own
            for name, module in self.network.named_modules()
            for own, _ in module.named_buffers(recurse=False)
            if name in self._modules_that_train
        }
        return {name: value.detach().clone() for name, value in whole.items() if name in trained | buffers}

    def classifier(self) -> Classifier:
        """Return the head as one of frozen networks."""
        return Classifier(
            scaling="none",
            decides="linear",
            becomes="softmax",
            tensors={
                "weights": self.head.weight.detach().float().cpu().T.contiguous(),
                "offsets": self.head.bias.detach().float().cpu(),
            },
        )


def tuned(
    frozen: Frozen,
    choice: Choice,
    config: FinetuneConfig,
    picture_13SS: Tensor,
    *,
    n_classes: int,
    seed: int,
) -> Tuned:
    """Put a head on a network, and say what of it trains.

    Args:
        frozen: A network of torch; it is changed.
        choice: What is trained on.
        config: Section of the recipe.
        picture_13SS: A prepared picture, on the CPU.
        n_classes: Number of classes K.
        seed: Seed of the values of the head and of adapters.

    Raises:
        ConfigError: If it has not the blocks or layers that are named.
        DependencyError: If peft is wanted and not installed.
    """
    assert isinstance(frozen.runs, TorchRuns)
    network, device = frozen.runs.module, frozen.runs.device
    picture = picture_13SS.to(device)
    with torch.no_grad():
        n_features = frozen.runs.features(picture_13SS).shape[1]
    course = course_of(network, picture)
    lora = config.lora
    about = TunedAbout(kind=choice.kind, blocks=choice.blocks)
    if choice.kind == "lora":
        targets = targets_of(network, course, lora.targets, name=frozen.name)
        add_adapters(network, targets, rank=lora.rank, alpha=lora.alpha, dropout=lora.dropout)
        draw_adapters(network, seed)
        about = about.model_copy(update={"rank": lora.rank, "alpha": lora.alpha, "targets": targets})
        modules = frozenset(name for name, _ in network.named_modules() if is_adapter(name))
        parameters = frozenset(name for name, _ in network.named_parameters() if is_adapter(name))
    else:
        entered = course.entered
        last = course.last(choice.blocks, name=frozen.name) if choice.kind == "last" else frozenset(entered)
        modules = last
        parameters = frozenset(
            name for name in course.used if choice.kind == "all" or name.rpartition(".")[0] in last
        )
    head = Head(n_features, n_classes)
    initialise(head, generator(seed, "weights"))
    model = Tuned(
        network,
        head,
        dropout=config.dropout,
        about=about,
        modules=modules,
        parameters=parameters,
    )
    return model.to(device)
