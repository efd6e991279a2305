"""Networks: region layer, trunk, MSAU-Net, kept maps; with CUDA also precision and the share of the roofline.

Work is counted from the layers' shapes, in multiply-adds (GMAC) of convolutions and linear layers; a backward
pass is counted as twice the forward pass. Pictures are noise. Times are elapsed seconds, as the layers use
all cores. The region layer's baseline is one convolution per region, in a loop.
"""

from __future__ import annotations

import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from fgbench.config import NetworkConfig, TrainImageConfig, TrunkConfig, load_training
from fgbench.inputs.batching import Source
from fgbench.inputs.cached_maps import keep_maps
from fgbench.inputs.crops import view_table
from fgbench.inputs.image_set import ImageSet
from fgbench.inputs.preprocessing import Preprocessing
from fgbench.inputs.resident import Resident
from fgbench.methods.msau.task import ImageTask
from fgbench.models.drml import RegionLayer
from fgbench.models.initialisation import initialise
from fgbench.models.msau import MsauNet

CPU = torch.device("cpu")
PREPROCESSING = Preprocessing(resize_px=256, mean=(127.0,) * 3, std=(60.0,) * 3)
STEM = TrunkConfig().stem
PEAK_TFLOPS = {"H100": (494.0, 989.0), "H200": (494.0, 989.0), "A100": (156.0, 312.0)}
"""Dense TF32 and BF16 peaks of the makers' data sheets (SXM versions)."""


def main() -> None:
    """Print the tables."""
    print(f"{torch.get_num_threads()} threads.", flush=True)
    _region_layers()
    _networks()
    _kept_maps()
    _cuda()


def _table(title: str, columns: str) -> None:
    names = [title, *columns.split(", ")]
    print(f"\n| {' | '.join(names)} |\n|---|{'---:|' * (len(names) - 1)}", flush=True)


def _row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def _seconds(work: Callable[[], object], device: torch.device = CPU, repeats: int = 3) -> float:
    """Median elapsed seconds, after one call that warms up."""
    times = []
    for repeat in range(repeats + 1):
        begin = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        if repeat:
            times.append(time.perf_counter() - begin)
    return statistics.median(times)


def _looped(layer: RegionLayer, x: Tensor) -> Tensor:
    """What the region layer computes, one region after the other."""
    grid, channels = layer.grid, x.shape[1]
    rows = []
    for i, band in enumerate(x.chunk(grid, 2)):
        row = []
        for j, region in enumerate(band.chunk(grid, 3)):
            here = slice((i * grid + j) * channels, (i * grid + j + 1) * channels)
            made = functional.relu(functional.batch_norm(region, None, None, training=True))
            weight, bias = layer.conv.weight[here], layer.conv.bias
            assert bias is not None
            row.append(region + functional.conv2d(made, weight, bias[here], padding=1))
        rows.append(torch.cat(row, 3))
    return torch.cat(rows, 2)


def _region_layers() -> None:
    _table(
        "region layer, forward and backward", "batch, looped ms, grouped ms, ratio, channels last ms, ratio"
    )
    torch.manual_seed(0)
    layer = RegionLayer(STEM)
    for side_px in (160, 224):
        for batch in (8, 64):
            # A large batch takes too long and too much memory: a quarter is measured.
            part = batch // 4 if batch > 8 else batch
            x = torch.randn(part, STEM, side_px, side_px, requires_grad=True)
            last = x.detach().to(memory_format=torch.channels_last).requires_grad_()
            difference = (_looped(layer, x) - layer(x)).abs().max()
            assert difference < 1e-4, difference
            works: tuple[Callable[[], object], ...] = (
                lambda x=x: _looped(layer, x).sum().backward(),
                lambda x=x: layer(x).sum().backward(),
                lambda x=last: layer(x).sum().backward(),
            )
            slow, fast, other = (_seconds(work, repeats=1) * 1000 * batch / part for work in works)
            _row(
                f"{STEM} channels, {side_px} x {side_px}",
                str(batch) if part == batch else f"{batch} ({part} measured, scaled)",
                f"{slow:.0f}",
                f"{fast:.0f}",
                f"{slow / fast:.2f}",
                f"{other:.0f}",
                f"{slow / other:.2f}",
            )


def _network(config: NetworkConfig, device: torch.device = CPU, n_basic: int = 6) -> MsauNet:
    model = MsauNet(config, n_basic=n_basic)
    initialise(model, torch.Generator().manual_seed(0))
    return model.to(device, memory_format=torch.channels_last)


def _gmac(forward: Callable[[], object], n_images: int) -> float:
    """Multiply-adds per image of the convolutions and linear layers that a forward pass runs, in 1e9."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        forward()
    return counter.get_total_flops() / 2 / n_images / 1e9


def _convolution_share(work: Callable[[], object]) -> float:
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        work()
    events = profile.key_averages()
    names = ("mkldnn_convolution", "convolution_backward", "_slow_conv2d_forward", "thnn_conv2d")
    within = sum(event.cpu_time_total for event in events if event.key.removeprefix("aten::") in names)
    return within / sum(event.self_cpu_time_total for event in events)


def _recipe(name: str, **data: object) -> TrainImageConfig:
    recipe = load_training(name, TrainImageConfig)
    return recipe.model_copy(update={"data": recipe.data.model_copy(update=data)})


def _networks() -> None:
    _table(
        "network", "GMAC an image, inference images/s, GMAC/s, in convolutions, training images/s, likewise"
    )
    for name, recipe, batch in (("paper's", "msau", 8), ("small", "msau-small", 32)):
        config = load_training(recipe, TrainImageConfig).network
        model = _network(config)
        faces = torch.randn(batch, 3, 224, 224).to(memory_format=torch.channels_last)
        side_px = config.trunk.input_px
        x = functional.avg_pool2d(faces, 224 // side_px)
        _network_row(f"{name} trunk, {side_px} px", model.trunk, x)
        _network_row(f"{name} MSAU-Net, {config.zooms} zoom, trunk trained too", model, faces)


def _network_row(name: str, model: nn.Module, x: Tensor) -> None:
    n = len(x)

    def infer() -> None:
        with torch.no_grad():
            model(x)

    def train() -> None:
        model.zero_grad()
        actual = model(x)
        loss = actual.fine.sum() + actual.basic.sum() if isinstance(actual, tuple) else actual.sum()
        loss.backward()

    model.eval()
    gmac = _gmac(infer, n)
    fast = n / _seconds(infer, repeats=1)
    share = _convolution_share(infer)
    model.train()
    slow = n / _seconds(train, repeats=1)
    cells = (f"{gmac:.3f}", f"{fast:.1f}", f"{gmac * fast:.0f}", f"{share:.0%}")
    _row(name, *cells, f"{slow:.1f}", f"{_convolution_share(train):.0%}")


def _samples(n: int, device: torch.device) -> ImageSet:
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (n, 3, 224, 224), dtype=torch.uint8, generator=random)
    names = [str(number) for number in range(n)]
    labels = torch.arange(n) % 33
    return ImageSet(
        sample_ids=names,
        clip_ids=names,
        labels=labels.to(device),
        basic=(labels % 6).to(device),
        images=Resident(images.to(device)),
    )


def _task(
    recipe: TrainImageConfig, model: MsauNet, samples: ImageSet, device: torch.device, maps: Source | None
) -> ImageTask:
    return ImageTask(
        model,
        recipe,
        PREPROCESSING,
        train=samples,
        selection=samples,
        maps=maps,
        selection_maps=None,
        seed=0,
        device=device,
    )


def _epoch(task: ImageTask, optimiser: torch.optim.Optimizer, device: torch.device, *, bf16: bool) -> None:
    for batch in task.batches(epoch=0, rank=0, world=1):
        optimiser.zero_grad()
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            loss, _ = task.loss(batch, epoch=0)
        loss.backward()
        optimiser.step()


def _optimiser(task: ImageTask) -> torch.optim.Optimizer:
    return torch.optim.SGD(task.groups(), lr=1e-4, momentum=0.9)


def _kept_maps() -> None:
    _table(
        "training on a frozen trunk", "through it images/s, on its kept maps images/s, ratio, making images/s"
    )
    for name, n in (("msau", 16), ("msau-small", 96)):
        recipe = _recipe(name, crops="centre", flip=False)
        model = _network(recipe.network)
        model.freeze()
        model.train()
        samples = _samples(n, CPU)
        with tempfile.TemporaryDirectory() as folder:
            begin = time.perf_counter()
            maps = _make_maps(Path(folder), recipe, model, samples)
            made = n / (time.perf_counter() - begin)
            rates = []
            for source in (None, maps):
                task = _task(recipe, model, samples, CPU, source)
                optimiser = _optimiser(task)
                elapsed = _seconds(lambda t=task, o=optimiser: _epoch(t, o, CPU, bf16=False), repeats=1)
                rates.append(n / elapsed)
        slow, fast = rates
        what = f"{name}, batches of {recipe.optimiser.batch}"
        _row(what, f"{slow:.1f}", f"{fast:.0f}", f"{fast / slow:.1f}", f"{made:.1f}")


def _make_maps(folder: Path, recipe: TrainImageConfig, model: MsauNet, samples: ImageSet) -> Source:
    def compute(images: Tensor, _: int) -> Tensor:
        with torch.no_grad():
            return model.see(PREPROCESSING.centre(images)).maps

    return keep_maps(
        folder / "maps",
        {"of": "noise"},
        images=samples.images,
        n_views=len(view_table("centre", flip=False)),
        n_maps=1 + recipe.network.zooms,
        n_made=1 + recipe.network.zooms,
        compute=compute,
        batch=8,
        device=CPU,
        resident_mb=1024,
        progress=lambda name, done, of: None,
    )


def _cuda() -> None:
    if not torch.cuda.is_available():
        gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"\nPeak memory {gib:.1f} GiB. No CUDA device: precision and roofline were not measured.")
        return
    device = torch.device("cuda")
    name = torch.cuda.get_device_name(device)
    peaks = next((peak for key, peak in PEAK_TFLOPS.items() if key in name), None)
    _table(
        f"paper's MSAU-Net, trunk trained too, {name}",
        "inference images/s, of the peak, training images/s (crops included), of the peak, peak memory GiB",
    )
    recipe = load_training("msau-tuned", TrainImageConfig)
    batch = recipe.optimiser.batch
    samples = _samples(8 * batch, device)
    first = next(iter(samples.images.batches(epoch=0, seed=0, batch=batch, shuffle=False)))
    faces = PREPROCESSING.centre(first.images)
    outputs = []
    for index, precision in enumerate(("fp32", "bf16")):
        model = _network(recipe.network, device)
        bf16 = precision == "bf16"

        def infer(model: MsauNet = model, bf16: bool = bf16) -> Tensor:
            with torch.no_grad(), torch.autocast("cuda", torch.bfloat16, enabled=bf16):
                return model(faces).probabilities()

        torch.cuda.reset_peak_memory_stats(device)
        model.eval()
        outputs.append(infer())
        gmac = _gmac(infer, batch)
        fast = batch / _seconds(infer, device, repeats=5)
        model.train()
        task = _task(recipe, model, samples, device, None)
        optimiser = _optimiser(task)
        elapsed = _seconds(lambda t=task, o=optimiser, b=bf16: _epoch(t, o, device, bf16=b), device)
        slow = len(samples) / elapsed
        memory = torch.cuda.max_memory_allocated(device) / 2**30

        def share(rate: float, gmac: float = gmac, index: int = index) -> str:
            return "unknown" if peaks is None else f"{2e-3 * gmac * rate / peaks[index]:.1%}"

        cells = (f"{fast:.0f}", share(fast), f"{slow:.0f}", share(3 * slow), f"{memory:.1f}")
        _row(f"{precision}, batches of {batch}", *cells)
    exact, rough = outputs
    same = (exact.argmax(1) == rough.argmax(1)).float().mean().item()
    print(
        f"\nbf16 against fp32: largest difference of probabilities {(exact - rough).abs().max():.1e}, "
        f"{same:.1%} the same class. The peak of fp32 is that of TF32."
    )
