"""Pre-train with MoCo-v2 and MoCHi on generated images, then measure both.

    python tools/quickstart.py [--out work_dirs/quickstart]

Same network, data, budget and seed for both; kNN and a linear probe for each and for the
untrained network. Two processes of one thread each share the work. Prints a table, writes
summary.json and quickstart.png, and exits with 1 unless both trained networks clearly beat the
untrained one.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

METHODS = {
    'MoCo-v2': 'configs/mocov2/mocov2_resnet10w025_1xb128-quickstart_shapes.py',
    'MoCHi': 'configs/mochi/mochi-128-128-64_resnet10w025_1xb128-quickstart_shapes.py',
}
PROBE = 'configs/benchmarks/linear/linear_resnet10w025_1xb128-quickstart_shapes.py'
KNN = 'configs/benchmarks/knn/knn_resnet10w025_shapes.py'
# What counts as clearly better than the untrained network, in points of accuracy.
MARGIN = 5.0
# The first file of a run; a later run knows the folder as its own by it.
UNTRAINED = 'untrained.pth'


def run_config(path: str, work_dir: Path, **options: Any) -> Any:
    """Return a runner for the config at ``path`` in the repository; it writes to ``work_dir``."""
    from mochi_mm.launch.runner import quiet_runner

    return quiet_runner(ROOT / path, work_dir, **options)


def one_thread() -> None:
    """Keep a worker process to one core."""
    import torch

    torch.set_num_threads(1)


def save_untrained(path: Path) -> None:
    """Write the network that both methods start from, as it is before the first step.

    Building the data here also draws the scenes, once for all processes.
    """
    import torch

    runner = run_config(METHODS['MoCo-v2'], path.parent / 'untrained')
    for loader in (runner.cfg.train_dataloader, runner.cfg.query_dataloader):
        runner.build_dataloader(loader)
    runner.model.init_weights()
    torch.save(dict(state_dict=runner.model.state_dict()), path)


def pretrain(name: str, work_dir: Path) -> tuple[Path, float]:
    """Train one method; return its checkpoint and the seconds it took."""
    start = time.perf_counter()
    runner = run_config(METHODS[name], work_dir)
    runner.train()
    return work_dir / f'epoch_{runner.max_epochs}.pth', time.perf_counter() - start


def measure(checkpoint: Path, work_dir: Path) -> dict[str, float]:
    """Return kNN and linear-probe top-1 of a checkpoint's backbone, in percent."""
    from mochi_mm.files.load_weights import load_backbone

    runner = run_config(KNN, work_dir / 'knn')
    load_backbone(runner.model, checkpoint)
    knn = runner.test()
    probe = run_config(PROBE, work_dir / 'linear', pretrained=str(checkpoint))
    probe.train()
    linear = probe.val_loop.run()
    return dict(knn=knn['knn/top1_k20'], linear=linear['accuracy/top1'])


def draw(path: Path, work_dirs: dict[str, Path], checkpoint: Path) -> None:
    """Draw views, learning curves and nearest neighbors into one picture."""
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot as plt

    from mochi_mm.evaluation import extract_features
    from mochi_mm.files.load_weights import load_backbone
    from mochi_mm.launch.config import load_config
    from mochi_mm.registry import DATASETS
    from mochi_mm.visualization import (
        draw_curves,
        draw_image_rows,
        nearest_neighbors,
        read_scalars,
    )

    figure, axes = plt.subplots(2, 2, figsize=(11, 8))
    views = DATASETS.build(load_config(ROOT / METHODS['MoCHi']).train_dataloader.dataset)
    rows = []
    for index in range(6):
        original = views.image(index)
        made = [v.permute(1, 2, 0).numpy() for e in range(2) for v in _sample(views, index, e)]
        rows.append([_pixels(original.resize(made[0].shape[1::-1])), *made])
    draw_image_rows(axes[0, 0], rows)
    axes[0, 0].set_title('a scene and its two views, in two epochs')

    runs = {name: read_scalars(folder) for name, folder in work_dirs.items()}
    draw_curves(axes[0, 1], runs, 'loss', 'contrastive loss (nats)')
    axes[0, 1].set_title('the MoCHi loss counts synthetic negatives as well')
    draw_curves(axes[1, 0], runs, 'knn/top1', 'kNN top-1 (%)')
    axes[1, 0].set_title('kNN accuracy while training')

    runner = run_config(KNN, path.parent / 'neighbors')
    load_backbone(runner.model, checkpoint)
    loader = runner.build_dataloader(runner.cfg.test_dataloader, seed=0)
    features, _ = extract_features(runner.model, loader, progress=False)
    near = nearest_neighbors(features[:6], features, 7)
    images = [[_pixels(loader.dataset.image(int(i))) for i in row] for row in near]
    draw_image_rows(axes[1, 1], images)
    axes[1, 1].set_title('validation scenes (left) and their nearest neighbors, MoCHi')
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def _sample(dataset: Any, index: int, epoch: int) -> Any:
    from mochi_mm.randomness import SampleKey

    return dataset[SampleKey(index, 0, epoch)]['inputs']


def _pixels(image: Any) -> Any:
    import numpy as np

    return np.asarray(image)


def report(results: dict[str, dict[str, float]]) -> bool:
    """Print the table; return whether both trained networks clearly beat the untrained one."""
    print(f'\n{"network":10} {"kNN top-1":>10} {"linear top-1":>13} {"seconds":>8}')
    for name, row in results.items():
        print(f'{name:10} {row["knn"]:9.1f}% {row["linear"]:12.1f}% {row["seconds"]:8.0f}')
    base = results['untrained']
    good = True
    for name in METHODS:
        for measure_name in ('knn', 'linear'):
            gain = results[name][measure_name] - base[measure_name]
            if not gain >= MARGIN:  # NaN is no gain
                print(
                    f'{name}: {measure_name} gains {gain:.1f} points over the untrained network; '
                    f'expected at least {MARGIN:g}',
                    file=sys.stderr,
                )
                good = False
    return good


def write_records(folder: Path, results: dict[str, dict[str, float]]) -> None:
    """Write each figure with its command, commit and hardware, as docs/results.md reads them."""
    from mochi_mm.experiments.result_record import result_record, write_record

    benchmarks = dict(
        knn=('weighted kNN, k=20, temperature 0.07', KNN, 'knn/top1_k20'),
        linear=('linear probe, 10 epochs', PROBE, 'accuracy/top1'),
    )
    for name, row in results.items():
        trained = Path(METHODS[name]).stem if name in METHODS else 'untrained'
        for kind, (protocol, config, metric) in benchmarks.items():
            record = result_record(
                protocol, config, {metric: row[kind]}, trained, command='python tools/quickstart.py'
            )
            write_record(folder / f'{trained}-{kind}.json', record)


def main() -> int:
    """Run everything; return the exit status."""
    from mochi_mm.launch.arguments import ToolParser

    parser = ToolParser(description=__doc__)
    parser.add_argument('--out', type=Path, default=Path('work_dirs/quickstart'))
    args = parser.parse_args()
    start = time.perf_counter()
    import torch

    import mochi_mm
    from mochi_mm.files.own_folder import make_empty, refuse_foreign_folder

    refuse_foreign_folder(args.out, UNTRAINED, (ROOT, Path.cwd()))
    make_empty(args.out, UNTRAINED)
    checkpoints, seconds = {'untrained': args.out / UNTRAINED}, {'untrained': 0.0}
    print('drawing the scenes', flush=True)
    save_untrained(checkpoints['untrained'])
    folders = {name: args.out / Path(path).stem for name, path in METHODS.items()}
    os.environ['OMP_NUM_THREADS'] = '1'
    spawn = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(2, mp_context=spawn, initializer=one_thread) as pool:
        for name, path in METHODS.items():
            print(f'pre-training with {name}: python tools/train.py {path}', flush=True)
        trained = pool.map(pretrain, METHODS, folders.values())
        for name, outcome in zip(METHODS, trained, strict=True):
            checkpoints[name], seconds[name] = outcome
        print('measuring both and the untrained network: kNN and linear probe', flush=True)
        work_dirs = [args.out / f'measure_{name}' for name in checkpoints]
        measured = list(pool.map(measure, checkpoints.values(), work_dirs))
    results = {
        name: dict(row, seconds=seconds[name])
        for name, row in zip(checkpoints, measured, strict=True)
    }
    draw(args.out / 'quickstart.png', folders, checkpoints['MoCHi'])

    good = report(results)
    write_records(args.out / 'records', results)
    summary = dict(
        results=results,
        passed=good,
        margin=MARGIN,
        wall_seconds=time.perf_counter() - start,
        configs=METHODS,
        versions=dict(
            mochi_mm=mochi_mm.__version__, torch=torch.__version__, python=platform.python_version()
        ),
        processes=2,
        machine=platform.processor() or platform.machine(),
    )
    (args.out / 'summary.json').write_text(json.dumps(summary, indent=2) + '\n')
    print(
        f'\n{summary["wall_seconds"]:.0f} s in all; see {args.out}/summary.json and '
        f'{args.out}/quickstart.png'
    )
    return 0 if good else 1


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(lambda: sys.exit(main()))
