"""A network after its training: its trained part taken out for the weights, and put back by them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from torch import Tensor, nn

from fgbench.errors import ManifestError
from fgbench.methods.backbone.frozen import Frozen
from fgbench.methods.backbone.torch_runs import TorchRuns
from fgbench.methods.finetuning.about import ABOUT, PREFIX, TunedAbout
from fgbench.methods.finetuning.adapters import add_adapters, load_adapters, merge_adapters
from fgbench.methods.finetuning.network import Tuned
from fgbench.models.weights import state_digest
from fgbench.naming import first_few

_ANEW = "give weights that fgbench wrote, or run the baseline anew"


def finished(model: Tuned, frozen: Frozen) -> tuple[Frozen, dict[str, Tensor], TunedAbout]:
    """Return a network after its training, what was trained of it, and the description of that.

    Adapters are merged into its weights: it predicts as :func:`restored` will.
    """
    state = {name: value.cpu() for name, value in model.state().items()}
    about = model.about.model_copy(update={"trained": state_digest(state)})
    if about.kind == "lora":
        merge_adapters(model.network)
    return _as_frozen(frozen, model.network, about), state, about


def restored(
    frozen: Frozen, metadata: Mapping[str, Any], state: Mapping[str, Tensor], *, origin: str
) -> Frozen:
    """Put what was trained back into the network that it was trained from; others are returned as they are.

    Args:
        frozen: The network as the user's file has it; it is changed.
        metadata: Metadata of weights.
        state: Their tensors.
        origin: Their file, for messages.

    Raises:
        DependencyError: If peft is needed and not installed.
        ManifestError: If they do not fit.
    """
    if metadata.get(ABOUT) is None:
        return frozen
    try:
        about = TunedAbout.model_validate(metadata[ABOUT])
    except (ValidationError, RecursionError) as error:
        raise ManifestError(f"the weights of {origin} do not tell what was trained", _ANEW) from error
    if not isinstance(frozen.runs, TorchRuns):
        raise ManifestError(f"the weights of {origin} are not of a network of torch", _ANEW)
    network = frozen.runs.module
    own = dict(_below(state))
    if state_digest(own) != about.trained:
        raise ManifestError(f"the weights of {origin} are not those that were trained", _ANEW)
    if about.kind == "lora":
        if (
            about.rank is None
            or about.alpha is None
            or {*about.targets} - dict(network.named_modules()).keys()
        ):
            raise ManifestError(f"the adapters of {origin} name layers that their network lacks", _ANEW)
        add_adapters(network, about.targets, rank=about.rank, alpha=about.alpha)
        load_adapters(network, own, origin=origin)
        merge_adapters(network)
    else:
        there = {name: tuple(value.shape) for name, value in network.state_dict().items()}
        if strange := [name for name, value in own.items() if there.get(name) != tuple(value.shape)]:
            raise ManifestError(
                f"the weights of {origin} do not fit their network: {first_few(sorted(strange), 3)}", _ANEW
            )
        network.load_state_dict(own, strict=False)
    return _as_frozen(frozen, network, about)


def _below(state: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    for name, value in state.items():
        if name.startswith(PREFIX):
            yield name.removeprefix(PREFIX), value


def _as_frozen(frozen: Frozen, network: nn.Module, about: TunedAbout) -> Frozen:
    assert isinstance(frozen.runs, TorchRuns)
    runs = replace(frozen.runs, module=network.eval().requires_grad_(False), classifier=None, n_classes=None)
    return replace(frozen, runs=runs, tuned=about.trained, classes=())
