"""Time and memory of the objective, forward and backward: MoCo-v2 and MoCHi, direct and ours.

python tools/benchmarks/head.py [--device cuda] [--batch 256 --memory 65536 --dim 128] [--json OUT]

*Direct* is what public code does: the logits of the memory concatenated with those of the
synthetic negatives, which are gathered, mixed, normalised and multiplied as vectors. *Ours* is the
head of this project, with its statistics. Both get the same inputs and draw the same plan; the
program stops if their losses or gradients differ.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mochi_mm.models.functional.hardest import select_hardest
from mochi_mm.models.heads import ContrastiveHead, HardNegativeMixingHead
from mochi_mm.models.memories import FeatureQueue
from mochi_mm.models.mixers import PairMixing, QueryMixing
from mochi_mm.utils.benchmark import machine, peak_extra_bytes, seconds, summary, write_json
from mochi_mm.utils.keyed_random import StepKey

SETTINGS = ((1024, 1024, 128), (512, 1024, 512), (256, 512, 256))
TEMPERATURE = 0.2
STEP = StepKey(seed=0, iteration=0)
Run = Callable[[], tuple[Tensor, Tensor]]


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--batch', type=int, default=256)
    parser.add_argument('--memory', type=int, default=65536)
    parser.add_argument('--dim', type=int, default=128)
    parser.add_argument('--repeats', type=int, default=7)
    parser.add_argument(
        '--cpu-time', action='store_true', help='seconds of the processor, not of the clock'
    )
    parser.add_argument('--settings', nargs='+', metavar='N,S,S2', help='default: three of them')
    parser.add_argument('--json', metavar='OUT')
    args = parser.parse_args(argv)
    if args.repeats < 1:
        raise ValueError(f'--repeats is {args.repeats}; expected at least 1.')
    return args


class DirectHead:
    """The objective as public code computes it."""

    def __init__(self, queue: Tensor, setting: Any) -> None:
        self.queue, self.setting, self.pointer = queue, setting, 0
        self.hardest = lambda cosines, count: cosines.topk(count, dim=1).indices

    def loss(self, query: Tensor, key: Tensor) -> Tensor:
        """Return the loss, then put the keys into the queue."""
        query, key = F.normalize(query, dim=1), F.normalize(key, dim=1)
        bank = self.queue.clone()
        positive = torch.einsum('bd,bd->b', query, key)[:, None]
        negative = torch.einsum('bd,kd->bk', query, bank)
        logits = torch.cat([positive, negative], dim=1)
        if self.setting is not None:
            synthetic = self.synthetic(query, bank, negative)
            logits = torch.cat([logits, torch.einsum('bd,bsd->bs', query, synthetic)], dim=1)
        labels = torch.zeros(len(query), dtype=torch.long, device=query.device)
        loss = F.cross_entropy(logits / TEMPERATURE, labels)
        rows = torch.arange(self.pointer, self.pointer + len(key), device=query.device)
        self.queue[rows % len(self.queue)] = key
        self.pointer = (self.pointer + len(key)) % len(self.queue)
        return loss

    @torch.no_grad()
    def synthetic(self, query: Tensor, bank: Tensor, negative: Tensor) -> Tensor:
        """Return the synthetic negatives, (B, S + S', D)."""
        num_hard, pairs, mixes = self.setting
        generator = STEP.generator('mixing', query.device)

        def rand(count: int) -> Tensor:
            return torch.rand(len(query), count, generator=generator, device=query.device)

        def draw(count: int) -> Tensor:
            return (rand(count) * num_hard).long().clamp_max(num_hard - 1)

        hard = bank[self.hardest(negative, num_hard)]
        row = torch.arange(len(query), device=query.device)[:, None]
        first, second, weight = draw(pairs), draw(pairs), rand(pairs)[..., None]
        of_pairs = weight * hard[row, first] + (1 - weight) * hard[row, second]
        chosen, weight = draw(mixes), 0.5 * rand(mixes)[..., None]
        of_query = weight * query[:, None] + (1 - weight) * hard[row, chosen]
        return F.normalize(torch.cat([of_pairs, of_query], dim=1), dim=2)


def our_head(length: int, dim: int, setting: tuple[int, int, int] | None) -> ContrastiveHead:
    """Return this project's head for ``setting``, None for MoCo-v2."""
    memory = FeatureQueue(length, dim)
    if setting is None:
        return ContrastiveHead(memory, TEMPERATURE)
    num_hard, pairs, mixes = setting
    mixers = [PairMixing(pairs), QueryMixing(mixes)]
    return HardNegativeMixingHead(memory, num_hard, mixers, temperature=TEMPERATURE)


def alternatives(
    args: argparse.Namespace, setting: tuple[int, int, int] | None, same_ties: bool = False
) -> dict[str, Run]:
    """Return both ways to one loss and its gradient for the query.

    ``same_ties``: equal cosines in the same order, without which a plan means different rows.
    """
    generator = torch.Generator().manual_seed(0)
    query, key = torch.randn(2, args.batch, args.dim, generator=generator).to(args.device)
    ours = our_head(args.memory, args.dim, setting).to(args.device)
    ours.set_step(STEP)
    direct = DirectHead(ours.memory.features.clone(), setting)
    if same_ties:
        direct.hardest = lambda cosines, count: select_hardest(cosines, count)[0]
    results: Any = dict(direct=direct.loss, ours=lambda q, k: ours.loss(q, k)['loss_contrast'])

    def run(name: str) -> tuple[Tensor, Tensor]:
        leaf = query.clone().requires_grad_()
        loss = results[name](leaf, key)
        loss.backward()
        return loss.detach(), leaf.grad

    return {name: lambda name=name: run(name) for name in results}


def check_equal(runs: dict[str, Run]) -> dict[str, float]:
    """Return the relative differences of loss and gradient.

    Raises:
        RuntimeError: More than 1e-5.
    """
    (loss, grad), (expected, expected_grad) = runs['ours'](), runs['direct']()
    found = dict(
        loss=float((loss - expected).abs() / expected.abs()),
        gradient=float((grad - expected_grad).abs().max() / expected_grad.abs().max()),
    )
    if max(found.values()) > 1e-5:
        raise RuntimeError(f'the two ways differ by {found}; expected 1e-5 at most.')
    return found


def main(argv: list[str] | None = None) -> None:
    """Measure, print, write."""
    args = parse_args(argv)
    chosen = [tuple(map(int, text.split(','))) for text in args.settings or ()] or SETTINGS
    runs: dict[str, Run] = {}
    result: dict[str, Any] = dict(machine=machine(args.device), command=vars(args), measured={})
    for setting in (None, *chosen):
        name = 'MoCo-v2' if setting is None else f'MoCHi {setting}'
        difference = check_equal(alternatives(args, setting, same_ties=True))
        result['measured'][name] = dict(difference=difference)
        pair = alternatives(args, setting)
        runs.update({f'{name}/{way}': run for way, run in pair.items()})
    clock = time.process_time if args.cpu_time else time.perf_counter
    times = seconds(runs, args.repeats, args.device, clock)
    for key, run in runs.items():
        name, way = key.rsplit('/', 1)
        memory = peak_extra_bytes(run, args.device)
        result['measured'][name][way] = dict(summary(times[key]), peak_bytes=memory)
    report(result['measured'])
    print(result['machine'])
    write_json(args.json, result)


def report(measured: dict[str, Any]) -> None:
    """Print the table, and what MoCHi costs beyond MoCo-v2; adds these ratios to ``measured``."""
    print(f'{"head":24} {"way":8} {"fastest ms":>10} {"median ms":>10} {"peak MB":>9}')
    plain = measured['MoCo-v2']
    for name, ways in measured.items():
        for way in ('direct', 'ours'):
            row = ways[way]
            numbers = (1e3 * row['fastest'], 1e3 * row['median'], row['peak_bytes'] / 2**20)
            print(f'{name:24} {way:8} {numbers[0]:10.1f} {numbers[1]:10.1f} {numbers[2]:9.1f}')
    for name, ways in measured.items():
        if name == 'MoCo-v2':
            continue
        extra = {
            field: {way: ways[way][field] - plain[way][field] for way in ('direct', 'ours')}
            for field in ('fastest', 'median', 'peak_bytes')
        }
        ways['beyond_moco_v2'] = {k: v['ours'] / v['direct'] for k, v in extra.items()}
        # The strict reading: everything that ours takes beyond the plain direct MoCo-v2 head.
        strict = ways['ours']['fastest'] - plain['direct']['fastest']
        ways['beyond_direct_moco_v2'] = strict / extra['fastest']['direct']
        print(
            f'{name}: beyond MoCo-v2, ours / direct: time {ways["beyond_moco_v2"]["fastest"]:.3f} '
            f'(median {ways["beyond_moco_v2"]["median"]:.3f}), memory '
            f'{ways["beyond_moco_v2"]["peak_bytes"]:.3f}; '
            f'beyond the direct MoCo-v2 head: time {ways["beyond_direct_moco_v2"]:.3f}'
        )


if __name__ == '__main__':
    main()
