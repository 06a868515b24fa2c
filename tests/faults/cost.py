"""What the safeguards cost in one training step.

python -m tests.faults.cost --steps 5 --batch 32 --size 224

Trains MoCo with a ResNet-18 on generated noise, and times the work of the hooks of this page apart
from the rest of the step. Prints milliseconds and the share. With several ranks there are two
agreements a step besides (stop now? is every loss finite?): their time by the clock, between two
gloo ranks of one machine that are both there already, comes last.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch

from mochi_mm.distributed.agreement import any_rank
from mochi_mm.engine.hooks import DataFaultHook, NonFiniteHook, PreemptionHook, RankCheckHook
from mochi_mm.launch.runner import build_runner
from tests.ranks import run_ranks
from tests.toy_runner import runner_config

HOOKS = (NonFiniteHook, PreemptionHook, DataFaultHook, RankCheckHook)


def timed(spent: dict[str, float], name: str, function: Any) -> Any:
    """Return ``function`` so that the seconds it takes are added to ``spent[name]``."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        began = time.process_time()
        try:
            return function(*args, **kwargs)
        finally:
            spent[name] += time.process_time() - began

    return wrapper


def agreement(rank: int, times: int) -> float:
    """Return the seconds that one agreement of all ranks takes."""
    any_rank(False)
    began = time.perf_counter()
    for _ in range(times):
        any_rank(False)
    return (time.perf_counter() - began) / times


def main() -> None:
    """Train, time and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--steps', type=int, default=5)
    parser.add_argument('--batch', type=int, default=32)
    parser.add_argument('--size', type=int, default=224)
    args = parser.parse_args()
    torch.set_num_threads(1)
    view = [dict(type='RandomResizedCrop', size=args.size)]
    pipeline = [dict(type='MultiView', transforms=[view], num_views=[2]), dict(type='PackInputs')]
    with tempfile.TemporaryDirectory() as folder:
        config = runner_config(Path(folder), max_epochs=1, size=args.batch * (args.steps + 1))
        config.train_dataloader.update(batch_size=args.batch)
        config.train_dataloader.dataset.pipeline = pipeline
        config.model.backbone = dict(type='ResNet', depth=18)
        config.model.neck.in_channels = 512
        config.model.head = dict(
            type='ContrastiveHead', memory=dict(type='FeatureQueue', length=65536, dim=8)
        )
        config.default_hooks.checkpoint.update(interval=100, save_last=False)
        config.log_level = 'ERROR'
        runner = build_runner(config)
        spent: dict[str, float] = defaultdict(float)
        for hook in runner.hooks:
            if isinstance(hook, HOOKS):
                for name in ('before_train_iter', 'after_train_iter', '_before_step'):
                    if hasattr(hook, name):
                        label = type(hook).__name__
                        setattr(hook, name, timed(spent, label, getattr(hook, name)))
        loop = runner.train_loop
        loop.run_iter = timed(spent, 'whole step', loop.run_iter)
        runner.train()
    whole = spent.pop('whole step')
    steps = args.steps + 1
    for name, seconds in {**spent, 'together': sum(spent.values())}.items():
        print(f'{name:16} {1000 * seconds / steps:8.3f} ms  {seconds / whole:8.4%}')
    print(f'{"whole step":16} {1000 * whole / steps:8.1f} ms')
    twice = 2 * max(run_ranks(agreement, 2, 200))
    print(f'{"two agreements":16} {1000 * twice:8.3f} ms')


if __name__ == '__main__':
    main()
