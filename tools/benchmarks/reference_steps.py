"""Compare the numbers of three training steps of pre-training configs before and after a change.

python tools/benchmarks/reference_steps.py --out FILE.json [CONFIG ...]
python tools/benchmarks/reference_steps.py --compare FILE.json [CONFIG ...]

``--out`` takes three steps of each config (default: all that pre-train) and writes what came of
them: everything that the loss returns, gradients, weights, averaged weights, running statistics of
batch norms, and memories, as digests of their bits and as sums. ``--compare`` repeats the steps and
says of each config: the same bits, or the largest relative difference; beyond 1e-6 the exit status
is 1. Names that are new or gone (statistics, entries of the state dict) are listed and fail
nothing; what a renamed memory holds is compared all the same.

The network, the memory and the numbers of negatives are cut down, mixing starts at once, the batch
is made up, the optimizer is plain SGD; the rest of the model is the config's. One thread, on the
CPU. Bits are those of one processor and one torch: write the file where it is compared.

Steps are taken twice: in float32, whose bits are compared; and with encoders in float64 and a small
rate, which give the difference where bits differ. In float32 the network would make 1e-1 of 1e-7 in
three steps. A share or an accuracy may still change by one query, where two cosines are equal.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import math
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

ALGORITHMS = (
    'MoCo',
    'MomentumContrast',
    'InBatchContrast',
    'CrossViewContrast',
    'AdversarialContrast',
)
STEPS, SEED = 3, 0
RATES = dict(float32=0.05, float64=0.001)
BATCH, IMAGES, CLASSES = 32, 48, 4
# ResNet-10 of a quarter, and the width of its features.
BACKBONE, WIDTH = dict(depth=10, width=0.25), 128
# A vision transformer of that width for images of PIXELS['imagenet'].
TRANSFORMER = dict(embed_dim=WIDTH, depth=2, num_heads=4, img_size=64, patch_size=16)
# Lengths and numbers are divided by this, so that their order and their ratios stay.
SCALE, LEAST, LONGEST = 24, 4, 400
# A last feature map of more than one position: batch norms of few values are ill-conditioned.
PIXELS = dict(small=32, imagenet=64)
# A cosine that different images of an untrained network reach, so that false negatives are found.
THRESHOLD = 0.2
TOLERANCE = 1e-6
# What the bits depend on.
CHIP = ('cpu', 'torch')
RUNNING = ('running_mean', 'running_var', 'num_batches_tracked')


def project() -> SimpleNamespace:
    """Import what this program needs of the project, here and nowhere else."""
    from mochi_mm.experiments.benchmark import machine, write_json
    from mochi_mm.experiments.record_difference import differences, number, summary
    from mochi_mm.files.text_file import read_json
    from mochi_mm.launch.config import load_config
    from mochi_mm.randomness import StepKey
    from mochi_mm.registry import MODELS
    from mochi_mm.structures import DataFacts

    return SimpleNamespace(
        build=MODELS.build,
        data_facts=DataFacts,
        differences=differences,
        load_config=load_config,
        machine=machine,
        number=number,
        read_json=read_json,
        step_key=StepKey,
        summary=summary,
        write_json=write_json,
    )


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('configs', nargs='*', metavar='CONFIG')
    task = parser.add_mutually_exclusive_group(required=True)
    task.add_argument('--out', metavar='FILE', help='write what the steps give')
    task.add_argument('--compare', metavar='FILE', help='repeat what such a file holds')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Take the steps; write or compare. Return the exit status."""
    args = parse_args(argv)
    import torch
    from mmengine.logging import MMLogger
    from mmengine.registry import init_default_scope

    init_default_scope('mochi_mm')
    MMLogger.get_current_instance().setLevel('WARNING')  # it lists every initialized weight
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return write(args.out, args.configs) if args.out else compare(args.compare, args.configs)
    finally:
        torch.set_num_threads(threads)


def write(path: str, names: list[str]) -> int:
    """Take the steps of each config and write the file."""
    result: dict[str, Any] = dict(machine=project().machine(), configs={})
    for name in [name_of(name) for name in names] or pretraining_configs():
        result['configs'][name] = taken = {kind: steps_of(name, kind) for kind in RATES}
        losses = [step['values']['loss']['decimal'] for step in taken['float32']['steps']]
        print(f'{name}: loss {", ".join(losses)}', flush=True)
    project().write_json(path, result)
    print(f'{len(result["configs"])} configs written to {path}')
    return 0


def compare(path: str, names: list[str]) -> int:
    """Repeat the steps of a file and print the differences.

    Raises:
        KeyError: A config that the file does not have.
    """
    former = project().read_json(path)
    here = project().machine()
    if other := [
        f'{key} {former["machine"][key]}' for key in CHIP if former['machine'][key] != here[key]
    ]:
        print(f'{path} comes from another machine ({", ".join(other)}); bits may differ for that')
    configs = former['configs']
    chosen = [name_of(name) for name in names] or list(configs)
    if unknown := sorted(set(chosen) - set(configs)):
        raise KeyError(f'{path} has no steps of {", ".join(unknown)}; add them with --out.')
    worst, same = 0.0, 0
    for name in chosen:
        if not (ROOT / name).is_file():
            print(f'{name}: GONE, there is no such config')
            worst = math.inf
            continue
        largest, lines = compare_config(name, configs[name])
        same += not lines
        worst = max(worst, largest)
        print('\n    '.join(lines or [f'{name}: the same bits']), flush=True)
    if not names and (new := sorted(set(pretraining_configs()) - set(configs))):
        print(f'{path} does not have {len(new)} configs: {", ".join(new)}')
    print(f'{same} of {len(chosen)} configs with the same bits and names, others up to {worst:.1e}')
    return int(not worst <= TOLERANCE)


def compare_config(name: str, former: dict[str, Any]) -> tuple[float, list[str]]:
    """Return the largest difference of a config, and lines on it; none if nothing differs."""
    found = project().differences(former['float32'], steps_of(name, 'float32'))
    if not found.bits:
        first = f'{name}: the same bits, other names'
        return 0.0, [first, *found.names] if found.names else []
    exact = project().differences(former['float64'], steps_of(name, 'float64'))
    word = 'equal to' if exact.largest <= TOLERANCE else 'DIFFERS by'
    first = f'{name}: {word} {exact.largest:.1e}'
    wide = [f'float64, {line}' for line in exact.bits]
    return exact.largest, [first, *found.names, f'float32, {found.bits[0]}', *wide]


def pretraining_configs() -> list[str]:
    """Return the configs that train one of the ``ALGORITHMS``, by their path in the project."""
    found = []
    for path in sorted((ROOT / 'configs').rglob('*.py')):
        # Bases are parts of configs, and those of the transfer are of another framework.
        if {'_base_', 'transfer'} & set(path.relative_to(ROOT).parts):
            continue
        config = project().load_config(path)
        if config.get('train_dataloader') and config.model.type in ALGORITHMS:
            found.append(name_of(path))
    return found


def name_of(path: str | Path) -> str:
    """Return the path of a config in the project."""
    whole = Path(path).resolve()
    return whole.relative_to(ROOT).as_posix() if whole.is_relative_to(ROOT) else str(whole)


def steps_of(
    name: str, kind: str, device: str = 'cpu', key: Callable[..., Any] | None = None
) -> dict[str, Any]:
    """Return the record of three steps of a config: settings, names, and the numbers of each step.

    Args:
        name: The config.
        kind: Precision of the numbers in the encoders, ``float32`` or ``float64``.
        device: Where the steps are taken; weights are drawn on the CPU.
        key: Class of the keys of the steps; None for :class:`StepKey`.
    """
    import torch

    config = project().load_config(ROOT / name)
    settings = shrunk(config.model.to_dict())
    torch.manual_seed(SEED)
    model = project().build(copy.deepcopy(settings))
    model.init_weights()
    model.train()
    count_images(model)
    if kind == 'float64':
        for part_name, part in model.named_children():
            # A head casts what it is given to float32, and its own numbers stay so.
            if part_name not in ('head', 'heads') and any(True for _ in part.parameters()):
                part.double()
    model.to(device)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=RATES[kind])
    pixels = PIXELS['small' if "'stem': 'small'" in str(settings) else 'imagenet']
    views = num_views(config.train_dataloader.dataset.get('pipeline', ()))
    record = dict(settings=settings, initial=state_of(model), steps=[])
    for step in range(STEPS):
        batch = batch_of(step, views, pixels, num_channels(settings))
        batch = hide_labels(model, batch)
        batch = model.data_preprocessor(batch, True)
        batch['inputs'] = [view.to(trained[0].dtype) for view in batch['inputs']]
        values, gradients = one_step(model, optimizer, batch, step, key)
        record['steps'].append(dict(values=values, gradients=gradients, **state_of(model)))
    record['state_dict'] = {key: list(value.shape) for key, value in model.state_dict().items()}
    return record


def one_step(
    model: Any, optimizer: Any, batch: dict[str, Any], step: int, kind: Any = None
) -> tuple[Any, Any]:
    """Take one step as the hooks of a run do; return what is logged, and the gradients."""
    import torch

    key = (kind or project().step_key)(SEED, step)
    torch.manual_seed(key.number('layers', per_rank=True))
    for module in model.modules():
        if hasattr(module, 'set_epoch'):
            module.set_epoch(step, STEPS)
        if hasattr(module, 'set_step'):
            module.set_step(key)
    total, values = model.parse_losses(model(**batch, mode='loss'))
    optimizer.zero_grad()
    total.backward()
    gradients = gradients_of(model)
    optimizer.step()
    if hasattr(model, 'set_progress'):
        model.set_progress(step / STEPS)
    if hasattr(model, 'update_ema'):
        model.update_ema()
    number = project().number
    return {key: number(float(value.detach())) for key, value in values.items()}, gradients


def count_images(model: Any) -> None:
    """Tell the parts that ask how many images each of their classes has: one of the last."""
    import torch

    for module in model.modules():
        if hasattr(module, 'set_data') and hasattr(module, 'num_classes'):
            counts = torch.arange(module.num_classes, 0, -1)
            counts[getattr(module, 'num_known', module.num_classes) :] = 0
            labeled = torch.ones(int(counts.sum()), dtype=torch.bool)
            module.set_data(project().data_facts(len(labeled), (), counts, labeled))


def shrunk(node: Any) -> Any:
    """Return the model of a config with a small network, short memories and few negatives."""
    if isinstance(node, (list, tuple)):
        return [shrunk(child) for child in node]
    if not isinstance(node, dict):
        return node
    small = {key: shrunk(value) for key, value in node.items()}
    for key in ('num_hard', 'num_negatives', 'num', 'length'):
        if isinstance(small.get(key), int):
            small[key] = min(max(small[key] // SCALE, LEAST), LONGEST)
    if isinstance(clusters := small.get('num_clusters'), list):
        small['num_clusters'] = [max(k // LONGEST, LEAST) for k in clusters]
    elif clusters:
        small['num_clusters'] = max(clusters // LONGEST, LEAST)
    if small.get('type') == 'ResNet':
        small.update(BACKBONE)
    if small.get('type') == 'TimmBackbone':
        small['model_kwargs'] = {**(small.get('model_kwargs') or {}), **TRANSFORMER}
    if small.get('hidden_channels'):
        small['hidden_channels'] = WIDTH
    for key in ('start_epoch', 'update_epoch'):
        if small.get(key):
            small[key] = 0
    if small.get('type') == 'CIFARResNet':
        small = dict(BACKBONE, type='ResNet', stem='small')
    if small.get('num_classes') and small.get('in_channels'):  # of the pooled features
        small['in_channels'] = WIDTH
    if small.get('type') == 'ExplainedViews':
        small['layer'] = 'layer2.0.conv2'
    if small.get('type') == 'FalseNegativeFinder':
        small['threshold'] = THRESHOLD
    for neck in small['neck'].get('necks', [small['neck']]) if small.get('neck') else ():
        neck['in_channels'] = WIDTH
    return small


def num_views(pipeline: Iterable[Mapping[str, Any]]) -> int:
    """Return the number of views per image of a pipeline."""
    counts = [step.get('num_views', 1) for step in pipeline]
    return max((n if isinstance(n, int) else sum(n) for n in counts), default=1)


def num_channels(model: Mapping[str, Any]) -> int:
    """Return the number of channels of the images of a model's config."""
    return len((model.get('data_preprocessor') or {}).get('mean') or (0, 0, 0))


def batch_of(step: int, views: int, pixels: int, channels: int = 3) -> dict[str, Any]:
    """Return a collated batch: uint8 views of images that look like others of their class.

    Two thirds of the images come in a step, so that older keys of most are in the memory. The class
    of an image is its number modulo the classes; its bias agrees in three of four images.
    """
    import torch

    index = torch.randperm(IMAGES, generator=seeded(1, step))[:BATCH]
    label = index % CLASSES
    own = torch.rand(IMAGES, channels, 4, 4, generator=seeded(2))[index]
    shared = torch.rand(CLASSES, channels, 4, 4, generator=seeded(3))[label]
    images = torch.nn.functional.interpolate(0.4 * shared + 0.4 * own, size=pixels)
    inputs = []
    for view in range(views):
        noise = torch.rand(images.shape, generator=seeded(4, step, view))
        inputs.append((255 * (images + 0.2 * noise)).to(torch.uint8))
    bias = torch.where(index // CLASSES % 4 == 0, (label + 1) % CLASSES, label)
    samples = dict(sample_idx=index, gt_label=label, bias_label=bias)
    return dict(inputs=inputs, data_samples=samples)


def hide_labels(model: Any, batch: dict[str, Any]) -> dict[str, Any]:
    """Return the batch without labels of classes new to a head, and without half of the others."""
    known = [module.num_known for module in model.modules() if hasattr(module, 'num_known')]
    if known:
        label = batch['data_samples']['gt_label']
        hidden = (label >= min(known)) | (batch['data_samples']['sample_idx'] // CLASSES % 2 == 1)
        batch['data_samples']['gt_label'] = label.masked_fill(hidden, -1)
    return batch


def seeded(*words: int) -> Any:
    """Return a generator of its own for these numbers."""
    import torch

    digest = hashlib.sha256(str(words).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], 'little'))


def gradients_of(model: Any) -> dict[str, Any]:
    """Return a summary of all gradients, and of those of each part of the model."""
    import torch

    parts: dict[str, list[Any]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            gradient = parameter.grad
            gradient = torch.zeros_like(parameter) if gradient is None else gradient
            parts.setdefault(name.split('.')[0], []).append(gradient)
    summary = project().summary
    whole = [gradient for part in parts.values() for gradient in part]
    return dict(all=summary(whole), **{part: summary(each) for part, each in parts.items()})


def state_of(model: Any) -> dict[str, Any]:
    """Return summaries of the weights, trained and averaged, and of every other buffer by name."""
    parameters = dict(model.named_parameters())
    buffers = {key: value for key, value in model.state_dict().items() if key not in parameters}
    summary = project().summary
    running = {key for key in buffers if key.split('.')[-1] in RUNNING}
    return dict(
        weights=dict(
            trained=summary(p for p in parameters.values() if p.requires_grad),
            averaged=summary(p for p in parameters.values() if not p.requires_grad),
            running=summary(buffers[key] for key in sorted(running)),
        ),
        memory={key: summary([buffers[key]]) for key in buffers if key not in running},
    )


if __name__ == '__main__':
    sys.exit(main())
