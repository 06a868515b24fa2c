"""A training step whose parts are timed one by one."""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from mochi_mm.launch.fresh_model import fresh_model
from mochi_mm.randomness import StepKey

PARTS = ('data', 'query forward', 'key encoder', 'head', 'backward', 'optimizer', 'EMA')


def batches(args: argparse.Namespace, config: Any, channels: int = 3) -> Callable[[], Any]:
    """Return a function that gives the next collated batch, random unless ``args.data``."""
    if not args.data:
        shape = (2, args.batch, channels, args.size, args.size)
        views = torch.randint(0, 256, shape, dtype=torch.uint8)
        return lambda: dict(inputs=list(views), data_samples={})
    from mochi_mm.engine.runners import SafeRunner

    loader = copy.deepcopy(config.train_dataloader)
    loader.batch_size = args.batch
    built = SafeRunner.build_dataloader(loader, seed=0)
    endless = (batch for _ in iter(int, 1) for batch in built)
    return lambda: next(endless)


class TimedStep:
    """One model with its optimizer, whose parts are timed as they run.

    Args:
        args: The command line.
        config: The whole config.
        plain: Without channels-last and with one tensor at a time.
    """

    def __init__(self, args: argparse.Namespace, config: Any, plain: bool) -> None:
        model_config = copy.deepcopy(config.model)
        model_config.channels_last = not plain
        self.model = fresh_model(model_config, seed=0).to(args.device).train()
        if hasattr(self.model.head, 'set_epoch'):
            self.model.head.set_epoch(10**6 - 1, 10**6)  # synthesizing has begun
        self.compiled = args.compile and not plain
        if self.compiled:
            for part in (self.model.backbone, self.model.key_encoder['backbone']):
                part.compile()
        trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.SGD(
            trained, lr=0.03, momentum=0.9, weight_decay=1e-4, foreach=not plain
        )
        self.plain, self.device, self.amp = plain, args.device, args.amp
        self.next_batch = batches(args, config, len(self.model.data_preprocessor.mean))
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
            return self.model.embed(view).predictor

    @torch.no_grad()
    def _key(self, view: Tensor) -> Tensor:
        with torch.autocast(self.device, torch.bfloat16, enabled=self.amp):
            return self.model.embed_keys({1: view})[1].predictor

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
        self._part('optimizer', self.optimizer.step)
        self.optimizer.zero_grad(set_to_none=True)
        self._part('EMA', self._average)

    def flops(self) -> int:
        """Run one step more and return its floating-point operations.

        torch counts those of products and convolutions, both ways, two for each multiplication and
        addition; what is compiled is counted as it is without.
        """
        noted = {name: list(values) for name, values in self.times.items()}
        eager: AbstractContextManager[Any] = nullcontext()
        if self.compiled:
            eager = torch.compiler.set_stance('force_eager')
        with eager, FlopCounterMode(display=False) as counter:
            self.run()
        self.times = noted
        return counter.get_total_flops()
