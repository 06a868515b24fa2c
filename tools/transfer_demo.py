"""Train detectors on generated scenes from the quickstart's weights and from random ones.

    python tools/transfer_demo.py [--pretrained CHECKPOINT] [--out work_dirs/transfer_demo]

Faster R-CNN C4 (VOC layout, AP50 of boxes) and Mask R-CNN FPN (COCO layout, AP50 of masks), each
from the checkpoint and from random weights, same schedule and seed. Without --pretrained it takes
the MoCHi checkpoint of the quickstart, and trains that first if there is none. Prints a table,
writes summary.json and transfer_demo.png, and exits with 1 unless both detectors reach their AP50
and beat random weights.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

PRETRAINING = 'configs/mochi/mochi-128-128-64_resnet10w025_1xb128-quickstart_shapes.py'
# By name: config, layout of its data, metric, what it must reach in percent.
DETECTORS = {
    'Faster R-CNN C4': (
        'configs/transfer/shapes/faster-rcnn_r10w025-c4_800_shapes.py',
        'voc',
        'voc/AP50',
        60.0,
    ),
    'Mask R-CNN FPN': (
        'configs/transfer/shapes/mask-rcnn_r10w025-fpn_800_shapes.py',
        'coco',
        'coco/segm_AP50',
        50.0,
    ),
}
# As the data sets of these configs say in their docstrings.
SCENES = dict(train=300, val=200)
SIZE, OBJECTS = 128, (2, 4)
# Written before anything else, so that a later run knows the folder as its own.
MARKER = 'transfer_demo.marker'


def run_config(path: str, work_dir: Path, **options: Any) -> Any:
    """Return a runner for the config at ``path`` in the repository; it writes to ``work_dir``."""
    from mochi_mm.launch.runner import quiet_runner

    return quiet_runner(ROOT / path, work_dir, **options)


def quickstart_checkpoint() -> Path:
    """Return the path of the quickstart's MoCHi checkpoint."""
    from mochi_mm.launch.config import load_config

    epochs = load_config(ROOT / PRETRAINING).train_cfg.max_epochs
    return Path('work_dirs/quickstart') / Path(PRETRAINING).stem / f'epoch_{epochs}.pth'


def pretrain(checkpoint: Path) -> None:
    """Train the quickstart's MoCHi network if there is no checkpoint of it yet."""
    if not checkpoint.is_file():
        print(f'no {checkpoint}: pre-training, python tools/train.py {PRETRAINING}', flush=True)
        run_config(PRETRAINING, checkpoint.parent).train()


def check_weights(checkpoint: Path) -> None:
    """Raise what loading into the detectors would raise, before anything is written."""
    from mmdet.registry import MODELS
    from mmengine.registry import init_default_scope

    from mochi_mm.launch.config import load_config
    from mochi_mm.transfer.weights.load_detector import load_detector

    for path, *_ in DETECTORS.values():
        config = load_config(ROOT / path)
        init_default_scope('mmdet')
        load_detector(MODELS.build(config.model), checkpoint)


def prepare(out: Path, pretrained: Path | None) -> Path:
    """Return the checkpoint to start from and leave ``out`` empty, or stop before touching it."""
    from mochi_mm.files.own_folder import make_empty, refuse_foreign_folder

    checkpoint = pretrained or quickstart_checkpoint()
    refuse_foreign_folder(out, MARKER, (ROOT, Path.cwd(), checkpoint))
    if pretrained is None:
        pretrain(checkpoint)
    check_weights(checkpoint)
    make_empty(out, MARKER)
    return checkpoint


def write_scenes(folder: Path) -> dict[str, Path]:
    """Write the scenes in both layouts; return the folders by layout."""
    from mochi_mm.datasets.shape_scenes import ShapeScenes
    from mochi_mm.datasets.shapes.export import EXPORTERS

    folders = {layout: folder / f'shapes_{layout}' for layout in ('voc', 'coco')}
    for split, number in SCENES.items():
        scenes = ShapeScenes(number, split, SIZE, OBJECTS, mixed=True)
        for layout, path in folders.items():
            EXPORTERS[layout](scenes, path, iter)
    return folders


def train_detector(
    name: str, data: Path, work_dir: Path, pretrained: str
) -> tuple[float, float, Path]:
    """Train one detector; return its last AP50, the seconds it took and its checkpoint."""
    from mochi_mm.visualization import read_scalars

    path, _, metric, _ = DETECTORS[name]
    start = time.perf_counter()
    runner = run_config(path, work_dir, data_root=f'{data}/', pretrained=pretrained)
    runner.train()
    seconds = time.perf_counter() - start
    measured = [line[metric] for line in read_scalars(work_dir) if metric in line]
    return measured[-1], seconds, work_dir / f'iter_{runner.max_iters}.pth'


def draw(path: Path, data: dict[str, Path], work_dirs: dict[tuple[str, str], Path]) -> None:
    """Draw the losses of all runs, and what the two detectors find."""
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot as plt

    from mochi_mm.launch.config import load_config
    from mochi_mm.transfer.examples import detect_examples, draw_examples
    from mochi_mm.visualization import draw_curves, read_scalars

    figure, axes = plt.subplots(4, 4, figsize=(12, 12), layout='constrained')
    for i, (name, (config_path, layout, _, _)) in enumerate(DETECTORS.items()):
        spec = axes[0, 2 * i].get_gridspec()
        for axis in axes[0, 2 * i : 2 * i + 2]:
            axis.remove()
        curves = figure.add_subplot(spec[0, 2 * i : 2 * i + 2])
        runs = {start: read_scalars(work_dirs[name, start]) for start in ('MoCHi', 'random')}
        draw_curves(curves, runs, 'loss', 'training loss')
        curves.set_title(name)
        config = load_config(ROOT / config_path, dict(data_root=f'{data[layout]}/'))
        checkpoint = work_dirs[name, 'MoCHi'] / f'iter_{config.train_cfg.max_iters}.pth'
        draw_examples(axes[1:, 2 * i : 2 * i + 2], detect_examples(config, checkpoint, 3))
    figure.savefig(path, dpi=100)


def report(results: dict[str, dict[str, float]]) -> bool:
    """Print the table; return whether both reach their AP50 and beat random weights."""
    print(f'\n{"AP50":16} {"needed":>7} {"MoCHi":>7} {"random":>7} {"seconds each":>13}')
    good = True
    for name, row in results.items():
        print(
            f'{name:16} {row["needed"]:6.1f}% {row["MoCHi"]:6.1f}% {row["random"]:6.1f}% '
            f'{row["seconds"]:13.0f}'
        )
        if row['MoCHi'] < row['needed'] or row['MoCHi'] <= row['random']:
            print(
                f'{name}: AP50 {row["MoCHi"]:.1f}; expected at least {row["needed"]:g} and more '
                f'than from random weights ({row["random"]:.1f})',
                file=sys.stderr,
            )
            good = False
    return good


def main() -> int:
    """Run everything; return the exit status."""
    from mochi_mm.launch.arguments import ToolParser

    parser = ToolParser(description=__doc__)
    parser.add_argument('--pretrained', type=Path, help='checkpoint of the small network')
    parser.add_argument('--out', type=Path, default=Path('work_dirs/transfer_demo'))
    args = parser.parse_args()
    import torch

    import mochi_mm

    start = time.perf_counter()
    checkpoint = prepare(args.out, args.pretrained)
    data = write_scenes(args.out / 'data')
    results: dict[str, dict[str, float]] = {}
    work_dirs: dict[tuple[str, str], Path] = {}
    for name, (path, layout, _, needed) in DETECTORS.items():
        results[name] = dict(needed=needed, seconds=0.0)
        for weights, pretrained in (('MoCHi', str(checkpoint)), ('random', 'none')):
            print(f'{name} from {weights} weights: python tools/train.py {path}', flush=True)
            folder = work_dirs[name, weights] = args.out / f'{Path(path).stem}_{weights}'
            ap, seconds, _ = train_detector(name, data[layout], folder, pretrained)
            results[name][weights] = ap
            results[name]['seconds'] = max(seconds, results[name]['seconds'])
    draw(args.out / 'transfer_demo.png', data, work_dirs)
    good = report(results)
    summary = dict(
        results=results,
        passed=good,
        checkpoint=str(checkpoint),
        wall_seconds=time.perf_counter() - start,
        configs={name: detector[0] for name, detector in DETECTORS.items()},
        versions=dict(
            mochi_mm=mochi_mm.__version__, torch=torch.__version__, python=platform.python_version()
        ),
        threads=torch.get_num_threads(),
        machine=platform.processor() or platform.machine(),
    )
    (args.out / 'summary.json').write_text(json.dumps(summary, indent=2) + '\n')
    print(
        f'\n{summary["wall_seconds"]:.0f} s in all; see {args.out}/summary.json and '
        f'{args.out}/transfer_demo.png'
    )
    return 0 if good else 1


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(lambda: sys.exit(main()))
