"""What a MoCo or MoCHi training step is made of, and which part is the largest.

python tools/benchmarks/step.py CONFIG [--batch 32] [--size 224] [--data] [--plain] [--json OUT]

Runs the parts of a step one after the other, by the clock: data, query forward, key encoder, head,
backward, optimiser, averaged encoder. Images are random unless --data takes them from the loader of
the config. --plain adds the same operations without this project's measures: channels-first
convolutions, optimiser and average one tensor at a time. --cfg-options as everywhere.
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch
from mmengine.registry import init_default_scope
from torch import Tensor

from mochi_mm.models.algorithms.base_algorithm import pool
from mochi_mm.registry import MODELS
from mochi_mm.utils.benchmark import machine, write_json
from mochi_mm.utils.config import load_config, parse_options
from mochi_mm.utils.keyed_random import StepKey

PARTS = ('data', 'query forward', 'key encoder', 'head', 'backward', 'optimiser', 'EMA')


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config')
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--batch', type=int, default=32)
    parser.add_argument('--size', type=int, default=224, help='pixels of a random image')
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--data', action='store_true', help="take the config's images")
    parser.add_argument('--plain', action='store_true', help='add the plain sequence')
    parser.add_argument('--amp', action='store_true', help='encoders in bfloat16')
    parser.add_argument('--cfg-options', nargs='+', default=[])
    parser.add_argument('--json', metavar='OUT')
    args = parser.parse_args(argv)
    if min(args.batch, args.size, args.repeats) < 1:
        raise ValueError('--batch, --size and --repeats must be at least 1.')
    return args


def batches(args: argparse.Namespace, config: Any) -> Callable[[], Any]:
    """Return a function that gives the next collated batch."""
    if not args.data:
        views = torch.randint(0, 256, (2, args.batch, 3, args.size, args.size), dtype=torch.uint8)
        return lambda: dict(inputs=list(views), data_samples={})
    from mmengine.runner import Runner

    loader = copy.deepcopy(config.train_dataloader)
    loader.batch_size = args.batch
    built = Runner.build_dataloader(loader, seed=0)
    endless = (batch for _ in iter(int, 1) for batch in built)
    return lambda: next(endless)


class Step:
    """One model with its optimiser, whose parts are timed as they run.

    Args:
        args: The command line.
        config: The whole config.
        plain: Without channels-last and with one tensor at a time.
    """

    def __init__(self, args: argparse.Namespace, config: Any, plain: bool) -> None:
        model_config = copy.deepcopy(config.model)
        model_config.channels_last = not plain
        torch.manual_seed(0)
        self.model = MODELS.build(model_config).to(args.device)
        self.model.init_weights()
        self.model.train()
        if hasattr(self.model.head, 'set_epoch'):
            self.model.head.set_epoch(10**6 - 1, 10**6)  # synthesising has begun
        trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.SGD(
            trained, lr=0.03, momentum=0.9, weight_decay=1e-4, foreach=not plain
        )
        self.plain, self.device, self.amp = plain, args.device, args.amp
        self.next_batch = batches(args, config)
        self.times: dict[str, list[float]] = {name: [] for name in PARTS}
        self.iteration = 0

    def _part(self, name: str, run: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = run()
        if self.device.startswith('cuda'):
            torch.cuda.synchronize(self.device)
        self.times[name].append(time.perf_counter() - start)
        return result

    def _query(self, view: Tensor) -> Tensor:
        with torch.autocast(self.device, torch.bfloat16, enabled=self.amp):
            return self.model.neck(pool(self.model.backbone(view)))

    @torch.no_grad()
    def _key(self, view: Tensor) -> Tensor:
        with torch.autocast(self.device, torch.bfloat16, enabled=self.amp):
            return self.model._encode_keys(view)

    @torch.no_grad()
    def _average(self) -> None:
        if not self.plain:
            self.model.update_ema()
            return
        decay = self.model.ema_decay
        pairs = zip(self.model.key_encoder.parameters(), self.model.query_parameters(), strict=True)
        for old, new in pairs:
            old.mul_(decay).add_(new, alpha=1 - decay)

    def run(self) -> None:
        """Run one step and note how long its parts took."""
        key = StepKey(0, self.iteration)
        for module in self.model.modules():
            if hasattr(module, 'set_step'):
                module.set_step(key)
        self.iteration += 1
        data = self._part(
            'data', lambda: self.model.data_preprocessor(self.next_batch(), training=True)
        )
        views = self.model.take_views(data['inputs'])
        query = self._part('query forward', lambda: self._query(views[0]))
        keys = self._part('key encoder', lambda: self._key(views[1]))
        samples = data['data_samples']
        losses = self._part('head', lambda: self.model.head.loss(query, keys, samples))
        total = sum(value for name, value in losses.items() if 'loss' in name)
        self._part('backward', total.backward)
        self._part('optimiser', self.optimiser.step)
        self.optimiser.zero_grad(set_to_none=True)
        self._part('EMA', self._average)


def main(argv: list[str] | None = None) -> None:
    """Measure, print, write."""
    args = parse_args(argv)
    config = load_config(args.config, parse_options(args.cfg_options))
    init_default_scope('mochi_mm')
    steps = dict(ours=Step(args, config, plain=False))
    if args.plain:
        steps['plain'] = Step(args, config, plain=True)
    for _ in range(args.repeats + 1):  # taking turns; the first turn warms up
        for step in steps.values():
            step.run()
    result: dict[str, Any] = dict(machine=machine(args.device), command=vars(args), measured={})
    for name, step in steps.items():
        parts = {part: median(times[1:]) for part, times in step.times.items()}
        whole = [sum(each) for each in list(zip(*step.times.values(), strict=True))[1:]]
        result['measured'][name] = dict(
            parts=parts,
            step=median(whole),
            fastest=min(whole),
            images_per_second=args.batch / median(whole),
        )
    report(result['measured'])
    print(result['machine'])
    write_json(args.json, result)


def report(measured: dict[str, Any]) -> None:
    """Print the parts of each step, and the largest."""
    for name, row in measured.items():
        largest = max(row['parts'], key=row['parts'].get)
        print(f'{name}: {1e3 * row["step"]:.0f} ms, {row["images_per_second"]:.1f} images/s')
        for part, value in row['parts'].items():
            mark = '  <- largest' if part == largest else ''
            print(f'  {part:14} {1e3 * value:9.1f} ms {100 * value / row["step"]:5.1f} %{mark}')
    if 'plain' in measured:
        plain, ours = measured['plain'], measured['ours']
        ours['speed_up'] = plain['step'] / ours['step']
        ours['speed_up_of_fastest'] = plain['fastest'] / ours['fastest']
        fastest = ours['speed_up_of_fastest']
        print(f'plain / ours: {ours["speed_up"]:.3f} (fastest steps {fastest:.3f})')


if __name__ == '__main__':
    main()
