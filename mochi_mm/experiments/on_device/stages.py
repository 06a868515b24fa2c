"""What is measured on a device, in the order of its value, and in how much time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

from mochi_mm.experiments.on_device.environment import environment
from mochi_mm.experiments.on_device.held_config import METHODS
from mochi_mm.experiments.on_device.job import Job, run_program
from mochi_mm.experiments.on_device.kernels import kernels
from mochi_mm.experiments.on_device.reading import reading
from mochi_mm.experiments.on_device.resume_check import WAYS, resume_check
from mochi_mm.experiments.on_device.train_held import train_held
from mochi_mm.files.text_file import read_json

ROOT = Path(__file__).resolve().parents[3]
CONFIG = 'configs/mochi/mochi-1024-512-256_resnet50_8xb32-cosine-200e_in1k.py'
TINY_CONFIG = 'configs/mochi/mochi-128-128-64_resnet10w025_1xb128-quickstart_shapes.py'
TRAIN = 'train'
#: Seconds of the training that are not epochs: start, kNN, the last checkpoint.
ASIDE = 30
MAX_EPOCHS = 200
#: The two ways multiply by other kernels on a GPU, so equal cosines may change places.
HEAD_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Settings:
    """What the command line asks for.

    Attributes:
        device: ``cuda``, or ``cpu`` in a rehearsal.
        out: Folder of all JSON files and logs.
        data: Folder with the packs ``train`` and ``val`` of CIFAR-10; None for generated scenes.
        photographs: Folder of JPEG files; None for made-up ones.
        batch: Of the steps of ResNet-50, and of the head.
        seeds: Seeds of the training.
        workers: Of a loader.
        tiny: Rehearse: sizes that take no time, whose figures mean nothing.
    """

    device: str
    out: Path
    data: Path | None
    photographs: Path | None
    batch: int
    seeds: tuple[int, ...]
    workers: int
    tiny: bool

    def json(self, name: str) -> Path:
        """Return the file of what a job of this name finds."""
        return self.out / f'{name}.json'


@dataclass(frozen=True)
class Stage:
    """Jobs side by side, and the seconds that they have together."""

    name: str
    seconds: float
    jobs: Sequence[Job]


def stages(settings: Settings) -> list[Stage]:
    """Return all stages but the training, which takes the time that is left."""
    tiny, device = settings.tiny, settings.device

    def one(name: str, seconds: float, work: Any, **arguments: Any) -> Stage:
        given = dict(arguments, device=device, out=settings.json(name))
        return Stage(name, seconds, [Job(name, work, given)])

    def epochs_of(method: str) -> Stage:
        count = 1 if tiny else 3
        return one(
            f'epochs_{method}', 45, train_held,
            method=method, data=settings.data, epochs=count, seed=0, workers=settings.workers,
            knn=False,
        )  # fmt: skip

    shapes = [(4, 64, 8, 16, 8)] if tiny else [(256, 65536, 1024, 1024, 128), (5, 4096, 7, 33, 96)]
    return [
        one('environment', 30, environment, size=64 if tiny else 8192),
        one('kernels', 40, kernels, shapes=shapes, repeats=1 if tiny else 20),
        Stage('head', 45, [_head(settings)]),
        Stage('step_bf16', 40, [_step(settings, 'step_bf16', '--amp', '--plain')]),
        *map(epochs_of, METHODS),
        Stage('equality', 60, _equality(settings)),
        Stage('step_float32', 40, [_step(settings, 'step_float32')]),
        # Compiling takes a minute on some machines, and needs a compiler: not in a rehearsal.
        Stage('step_compiled', 75, [
            _step(settings, 'step_compiled', '--amp', *([] if tiny else ['--compile']))
        ]),
        one(
            'resume', 75, resume_check,
            method='mochi', data=settings.data, epochs=1 if tiny else 2, workers=settings.workers,
            ways=WAYS[:1] if tiny else WAYS,
        ),
        one(
            'reading', 50, reading,
            photographs=settings.photographs, count=8 if tiny else 4096,
            workers=settings.workers, size=32 if tiny else 224,
        ),
    ]  # fmt: skip


def _program(name: str, log: str, *words: object) -> Job:
    path = str(ROOT / 'tools/benchmarks' / name)
    return Job(log, run_program, dict(path=path, words=[str(word) for word in words]))


def _head(settings: Settings) -> Job:
    words: list[object] = ['--settings', '1024,512,256', '1024,1024,128', '--repeats', 20]
    words += ['--batch', settings.batch, '--tolerance', HEAD_TOLERANCE]
    if settings.tiny:
        words = ['--batch', 4, '--memory', 256, '--dim', 16, '--repeats', 1]
        words += ['--settings', '16,32,8']
    ends = ['--device', settings.device, '--json', settings.json('head')]
    return _program('head.py', 'head', *words, *ends)


def _step(settings: Settings, name: str, *words: str) -> Job:
    tiny = settings.tiny
    config = ROOT / (TINY_CONFIG if tiny else CONFIG)
    sizes = ['--batch', 4, '--size', 16, '--repeats', 1] if tiny else ['--batch', settings.batch]
    ends = ['--flops', '--device', settings.device, '--json', settings.json(name)]
    return _program('step.py', name, config, *sizes, *words, *ends)


def _equality(settings: Settings) -> list[Job]:
    """Return four jobs on a quarter of the configs each: the CPU's steps take the time."""
    parts = 1 if settings.tiny else 4
    only = [ROOT / TINY_CONFIG] if settings.tiny else []
    jobs = []
    for part in range(1, parts + 1):
        name = f'equality_{part}'
        words = ['--device', settings.device, '--part', f'{part}/{parts}']
        words += ['--json', str(settings.json(name))]
        jobs.append(_program('device_steps.py', name, *only, *words))
    return jobs


def training(settings: Settings, left: float) -> Stage | None:
    """Return the training of all methods and seeds, side by side, for the time that is left.

    The epochs are those that fit if processes side by side are no faster than one after another.

    Returns:
        None where no epoch was measured, or none fits.
    """
    lengths = epoch_seconds(settings.out)
    if lengths.keys() != set(METHODS):
        return None
    each = len(settings.seeds) * sum(lengths.values())
    epochs = 1 if settings.tiny else min(MAX_EPOCHS, int(0.85 * (left - ASIDE) / each))
    if epochs < 1:
        return None
    jobs: list[Job] = []
    runs = len(METHODS) * len(settings.seeds)
    workers = min(settings.workers, max(1, settings.workers // runs))
    for method in METHODS:
        for seed in settings.seeds:
            name = f'{TRAIN}_{method}_{seed}'
            given = dict(method=method, data=settings.data, epochs=epochs, seed=seed)
            given |= dict(
                workers=workers, knn=True, device=settings.device, out=settings.json(name)
            )
            jobs.append(Job(name, train_held, given))
    return Stage(TRAIN, left, jobs)


def epoch_seconds(out: Path) -> dict[str, float]:
    """Return the seconds of an epoch by method, the median behind the first, which warms up."""
    found = {}
    for method in METHODS:
        path = out / f'epochs_{method}.json'
        if path.is_file() and (epochs := read_json(path)['epochs']):
            found[method] = median(epoch['seconds'] for epoch in epochs[1:] or epochs)
    return found


def figures(out: Path) -> dict[str, Any]:
    """Return what the goals ask for, as far as it was measured.

    Returns:
        ``epoch_seconds`` by method; ``share_of_peak`` of each step; ``head_share``, the head's
        seconds, both ways, of those of the bfloat16 step; ``knn``, mean top-1, epochs and number
        of seeds by method, of trainings that reached their end.
    """
    found: dict[str, Any] = {}
    if lengths := epoch_seconds(out):
        found['epoch_seconds'] = lengths
    steps = {path.stem: read_json(path)['measured']['ours'] for path in out.glob('step_*.json')}
    if steps and (out / 'environment.json').is_file():
        peak = read_json(out / 'environment.json')['peak_flops']
        found['share_of_peak'] = {
            name: step['flops_per_second'] / peak for name, step in sorted(steps.items())
        }
    if 'step_bf16' in steps and (out / 'head.json').is_file():
        heads = read_json(out / 'head.json')['measured']
        found['head_share'] = {
            name: ways['ours']['median'] / steps['step_bf16']['step']
            for name, ways in heads.items()
        }
    for method in METHODS:
        runs = [read_json(path) for path in sorted(out.glob(f'{TRAIN}_{method}_*.json'))]
        whole = [run for run in runs if len(run['epochs']) == run['planned_epochs'] and run['knn']]
        if whole:
            top1 = [run['knn']['knn/top1'] for run in whole]
            found.setdefault('knn', {})[method] = dict(
                top1=mean(top1), each=top1, epochs=whole[0]['planned_epochs']
            )
    return found
