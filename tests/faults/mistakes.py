"""Mistakes of users, each as a command: what is said, after how long, in how many lines.

python -m tests.faults.mistakes [NAME ...]          prints the table of docs/configs.md
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from tests.tools.test_train import CONFIG, KNN
from tests.toy_runner import REPOSITORY

FILES = {
    'broken.py': 'a = 1\nx = (',
    'undefined.py': "_base_ = './toy.py'\ndata_root = somewhere",
    'orphan.py': "_base_ = './no_such_base.py'",
    'imports.py': "_base_ = './toy.py'\ncustom_imports = dict(imports=['no_such_module'])",
    'lazy.py': 'from torch.optim import SGD\noptimizer = dict(type=SGD)',
    'typo.py': "_base_ = './toy.py'\ntrian_dataloader = dict(batch_size=2)",
    'taken': 'a file',
}


@dataclass(frozen=True)
class Mistake:
    """One command, and words of what it has to say.

    Attributes:
        name: In the table.
        words: Tool below ``tools/`` and its arguments.
        said: Part of the last line on the screen.
    """

    name: str
    words: str
    said: str


MISTAKES = (
    Mistake('config misspelt', 'train.py tyo.py', 'nearest: '),
    Mistake('config of another language', 'train.py toy.yaml', 'expected a Python file'),
    Mistake('syntax error', 'train.py broken.py', 'broken.py, line 2'),
    Mistake('name that is not defined', 'train.py undefined.py', 'undefined.py, line 2'),
    Mistake('base that is not there', 'train.py orphan.py', 'orphan.py inherits from'),
    Mistake('module that is not there', 'train.py imports.py', 'no_such_module'),
    Mistake('lazy config', 'train.py lazy.py', 'pure-Python style'),
    Mistake('misspelt name in a child', 'train.py typo.py', 'Nearest: train_dataloader'),
    Mistake('unknown argument of a tool', 'train.py toy.py --work_dir x', '--work-dir'),
    Mistake('option without a value', 'train.py toy.py --cfg-options model', 'KEY=VALUE'),
    Mistake('unknown setting', 'train.py toy.py --cfg-options modle.x=1', 'Nearest: model'),
    Mistake(
        'setting deeper down', 'train.py toy.py --cfg-options lr=1', 'optim_wrapper.optimizer.lr'
    ),
    Mistake(
        'pretrained without its hook',
        'train.py toy.py --cfg-options pretrained=no.pth',
        'no PretrainedHook',
    ),
    Mistake(
        'unknown component',
        'train.py toy.py --cfg-options model.backbone.type=ResNest',
        'Nearest names: ResNet',
    ),
    Mistake(
        'unknown argument',
        'train.py toy.py --cfg-options model.neck.out_channel=8',
        "did you mean 'out_channels'",
    ),
    Mistake(
        'auto_scale_lr.enabled',
        'train.py toy.py --cfg-options auto_scale_lr.enabled=True',
        "did you mean 'enable'",
    ),
    Mistake(
        'norm_decay_multi',
        'train.py toy.py --cfg-options optim_wrapper.paramwise_cfg.norm_decay_multi=0',
        "did you mean 'norm_decay_mult'",
    ),
    Mistake(
        'custom_keys of no parameter',
        'train.py toy.py '
        '--cfg-options optim_wrapper.paramwise_cfg.custom_keys.backbon3.lr_mult=0.1',
        'Nearest: backbone',
    ),
    Mistake(
        'misspelt env_cfg',
        'train.py toy.py --cfg-options env_cfg.cudnn_benchmrk=True',
        "did you mean 'cudnn_benchmark'",
    ),
    Mistake(
        'word for a number',
        'train.py toy.py --cfg-options model.head.num_hard=ten',
        'is no number',
    ),
    Mistake(
        'negative learning rate',
        'train.py toy.py --cfg-options optim_wrapper.optimizer.lr=-0.1',
        'expected a number >= 0',
    ),
    Mistake(
        'batch of 12.5',
        'train.py toy.py --cfg-options train_dataloader.batch_size=12.5',
        'expected an integer >= 1',
    ),
    Mistake(
        'no epoch', 'train.py toy.py --cfg-options train_cfg.max_epochs=0', 'train_cfg.max_epochs'
    ),
    Mistake(
        'mixing after the end',
        'train.py toy.py --cfg-options model.head.start_epoch=9',
        'nothing would ever be mixed',
    ),
    Mistake(
        'save_best without validation',
        'train.py toy.py --cfg-options default_hooks.checkpoint.save_best=acc',
        'needs a validation',
    ),
    Mistake(
        'more hard negatives than keys',
        'train.py toy.py --cfg-options model.head.num_hard=17',
        'the memory holds 16 keys',
    ),
    Mistake(
        'data that is not there', 'train.py toy.py --cfg-options data_root=/no/such', '/no/such'
    ),
    Mistake('work dir that is a file', 'train.py toy.py --work-dir taken/run', 'is a file'),
    Mistake('launcher without torchrun', 'train.py toy.py --launcher pytorch', 'torchrun'),
    Mistake(
        'weights that are no weights', 'train.py toy.py --cfg-options load_from=toy.py', 'toy.py'
    ),
    Mistake('what measures, trained', 'train.py knn.py', 'tools/test.py knn.py CHECKPOINT'),
    Mistake('checkpoint that is not there', 'test.py knn.py none.pth', 'no checkpoint at none.pth'),
    Mistake('weights of another model', 'analysis/knn.py knn.py foreign.pth', 'was not recognized'),
)


def prepare(folder: Path) -> None:
    """Write images, the toy configs and the wrong files."""
    generator = np.random.default_rng(0)
    for name in ('cats', 'dogs'):
        (folder / 'images' / name).mkdir(parents=True)
        for i in range(9):
            pixels = generator.integers(0, 256, (20, 20, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / 'images' / name / f'{i}.png')
    images, copies = folder / 'images', folder / 'copies'
    shutil.copytree(images, copies)
    fill = dict(root=REPOSITORY, images=images, copies=copies, index=folder / 'index.json')
    (folder / 'toy.py').write_text(CONFIG.format(**fill))
    (folder / 'knn.py').write_text(KNN.format(**fill))
    for name, text in FILES.items():
        (folder / name).write_text(text)
    torch.save({'net.weight': torch.zeros(1)}, folder / 'foreign.pth')


def make(mistake: Mistake, folder: Path) -> tuple[subprocess.CompletedProcess[str], float, float]:
    """Run the command in ``folder``; return how it ended, its seconds and those of the CPU."""
    tool, *words = mistake.words.split()
    environment = dict(os.environ, OMP_NUM_THREADS='1', CUDA_VISIBLE_DEVICES='-1')
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / 'tools' / tool), *words],
        cwd=folder,
        env=environment,
        text=True,
        capture_output=True,
        timeout=600,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    of_cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done, time.perf_counter() - began, of_cpu


def main(names: list[str]) -> None:
    """Print the table, and the medians below it."""
    seconds, lines = [], []
    print(
        '| mistake | seconds | of the CPU | lines | exit code | said |\n|---|---|---|---|---|---|'
    )
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        for mistake in (m for m in MISTAKES if not names or m.name in names):
            done, took, of_cpu = make(mistake, Path(folder))
            shown = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
            last = (done.stderr.strip().splitlines() or [''])[-1]
            said = 'yes' if mistake.said in last and 'Traceback' not in done.stderr else 'NO'
            seconds.append((took, of_cpu))
            lines.append(len(shown))
            cells = [
                mistake.name,
                f'{took:.1f}',
                f'{of_cpu:.1f}',
                len(shown),
                done.returncode,
                said,
            ]
            print('|', ' | '.join(map(str, cells)), '|', flush=True)
    whole, of_cpu = ([pair[i] for pair in seconds] for i in range(2))
    print(
        f'\n{len(seconds)} mistakes: median {statistics.median(whole):.1f} s, at most '
        f'{max(whole):.1f} s; of the CPU {statistics.median(of_cpu):.1f} s, at most '
        f'{max(of_cpu):.1f} s; at most {max(lines)} lines'
    )


if __name__ == '__main__':
    main(sys.argv[1:])
