"""The command lines: train, resume, two ranks, test, and the mistakes a user makes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.toy_runner import REPOSITORY

TOOLS = sorted(
    str(path.relative_to(REPOSITORY / 'tools')) for path in (REPOSITORY / 'tools').rglob('*.py')
)
CONFIG = '''
"""A toy run on image files."""

_base_ = '{root}/configs/_base_/default_runtime.py'

data_root = '{images}'
view = [dict(type='RandomResizedCrop', size=16), dict(type='RandomFlip')]
train_dataloader = dict(
    batch_size=4, num_workers=0, drop_last=True,
    sampler=dict(type='KeyedSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='ImageFolder', data_root=data_root, index_cache='{index}',
        pipeline=[
            dict(type='MultiView', transforms=[view], num_views=[2]), dict(type='PackInputs')]))
model = dict(
    type='MoCo', num_splits=2,
    backbone=dict(type='ResNet', depth=10, width=0.125, stem='small'),
    neck=dict(type='MLPNeck', in_channels=64, out_channels=8),
    head=dict(
        type='HardNegativeMixingHead', num_hard=5,
        mixers=[dict(type='PairMixing', num=6), dict(type='QueryMixing', num=3)],
        memory=dict(type='FeatureQueue', length=16, dim=8)))
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1, momentum=0.9))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=2)
default_hooks = dict(logger=dict(interval=1), checkpoint=dict(interval=1))
'''
KNN = '''
"""kNN among the files, asked with a copy of each."""

_base_ = './toy.py'

loader = dict(
    batch_size=5, num_workers=0, sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(type='ImageFolder', data_root='{images}', pipeline=[dict(type='PackInputs')]))
model = dict(_delete_=True, type='ImageClassifier',
             backbone=dict(type='ResNet', depth=10, width=0.125, stem='small'))
train_dataloader = None
train_cfg = None
optim_wrapper = None
test_dataloader = dict(loader, dataset=dict(loader['dataset'], data_root='{copies}'))
test_evaluator = []
test_cfg = dict(type='KNNLoop', bank_dataloader=loader, k=(1, 3))
'''


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """18 images in two classes, a copy of each, a training config and a kNN config."""
    generator = np.random.default_rng(0)
    for name in ('cats', 'dogs'):
        (tmp_path / 'images' / name).mkdir(parents=True)
        for i in range(9):
            pixels = generator.integers(0, 256, (20, 20, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / 'images' / name / f'{i}.png')
    images, copies = tmp_path / 'images', tmp_path / 'copies'
    shutil.copytree(images, copies)
    fill = dict(root=REPOSITORY, images=images, copies=copies, index=tmp_path / 'index.json')
    (tmp_path / 'toy.py').write_text(CONFIG.format(**fill))
    (tmp_path / 'knn.py').write_text(KNN.format(**fill))
    return tmp_path


def run(*arguments: object, folder: Path, ranks: int = 0) -> subprocess.CompletedProcess:
    command = [sys.executable]
    if ranks:
        command += ['-m', 'torch.distributed.run', '--standalone', f'--nproc_per_node={ranks}']
    environment = dict(os.environ, OMP_NUM_THREADS='1', CUDA_VISIBLE_DEVICES='-1')
    environment.pop('PYTHONPATH', None)
    return subprocess.run(
        [*command, *map(str, arguments)],
        cwd=folder,
        env=environment,
        text=True,
        capture_output=True,
        timeout=300,
    )


def state(path: Path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=True)['state_dict']


def test_train_resume_and_test(toy: Path) -> None:
    """Two epochs at once equal one and one; then the checkpoint is measured."""
    train = REPOSITORY / 'tools/train.py'
    whole = run(train, 'toy.py', '--work-dir', 'whole', folder=toy)
    assert whole.returncode == 0, whole.stderr
    first = run(
        train,
        'toy.py',
        '--work-dir',
        'parts',
        '--resume',
        '--cfg-options',
        'train_cfg.max_epochs=1',
        folder=toy,
    )
    assert first.returncode == 0, first.stderr
    assert 'no checkpoint in' in first.stdout and 'starts from the beginning' in first.stdout
    second = run(train, 'toy.py', '--work-dir', 'parts', '--resume', folder=toy)
    assert second.returncode == 0, second.stderr
    expected, resumed = state(toy / 'whole/epoch_2.pth'), state(toy / 'parts/epoch_2.pth')
    for name, value in expected.items():
        assert torch.equal(value, resumed[name]), name
    assert (toy / 'index.json').is_file()

    measured = run(
        REPOSITORY / 'tools/test.py',
        'knn.py',
        'whole/epoch_2.pth',
        '--out',
        'out/knn.json',
        folder=toy,
    )
    assert measured.returncode == 0, measured.stderr
    assert json.loads((toy / 'out/knn.json').read_text())['knn/top1_k1'] == 100


def test_two_cpu_ranks(toy: Path) -> None:
    result = run(
        REPOSITORY / 'tools/train.py',
        'toy.py',
        '--launcher',
        'pytorch',
        '--work-dir',
        'two',
        ranks=2,
        folder=toy,
    )
    assert result.returncode == 0, result.stderr
    assert '4 images x 2 ranks x 1 accumulated = 8' in result.stdout + result.stderr
    weights = state(toy / 'two/epoch_2.pth')
    assert int(weights['head.memory.count']) == 16
    assert torch.isfinite(weights['backbone.conv1.weight']).all()


def test_print_config_and_browse(toy: Path) -> None:
    printed = run(
        REPOSITORY / 'tools/analysis/print_config.py',
        'toy.py',
        '--cfg-options',
        'model.head.num_hard=7',
        folder=toy,
    )
    assert printed.returncode == 0 and 'num_hard=7' in printed.stdout
    shown = run(
        REPOSITORY / 'tools/analysis/browse_dataset.py',
        'toy.py',
        '--out',
        'pictures/views.png',
        '--num',
        '3',
        folder=toy,
    )
    assert shown.returncode == 0, shown.stderr
    assert '3 of 18 images' in shown.stdout
    assert Image.open(toy / 'pictures/views.png').size[0] > 300


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['data_root=/no/such/folder'], '/no/such/folder'),
        (['model.head.num_hard=17'], 'num_hard is 17 but the memory holds 16 keys'),
        (['model.ema_decay=0.01'], 'ema_decay is 0.01'),
        (['model.backbone.type=ResNest'], "unknown component 'ResNest'. Nearest names: ResNet"),
        (['model.neck.out_channel=8'], "'out_channel'; did you mean 'out_channels'"),
        (
            ['train_dataloader.dataset.pipeline.0.num_views=[3]'],
            'MoCo takes 2 views of each image, got 3',
        ),
        (['load_from=toy.py'], 'toy.py'),
    ],
)
def test_mistakes_are_named_and_leave_nothing_behind(
    toy: Path, options: list[str], message: str
) -> None:
    result = run(REPOSITORY / 'tools/train.py', 'toy.py', '--cfg-options', *options, folder=toy)
    assert result.returncode != 0
    assert message in result.stderr.strip().splitlines()[-1], result.stderr
    assert not list(toy.rglob('*.pth')) and not list(toy.rglob('*.part'))


@pytest.mark.parametrize('option', ['--smoke', '--amp', '--resume'])
def test_what_measures_cannot_be_trained(toy: Path, option: str) -> None:
    result = run(REPOSITORY / 'tools/train.py', 'knn.py', option, folder=toy)
    assert result.returncode != 0
    assert 'knn.py has no train_cfg' in result.stderr.splitlines()[-1], result.stderr
    assert 'tools/test.py knn.py CHECKPOINT' in result.stderr.splitlines()[-1]


def test_an_empty_folder_is_named(toy: Path) -> None:
    (toy / 'empty').mkdir()
    result = run(
        REPOSITORY / 'tools/train.py', 'toy.py', '--cfg-options', 'data_root=empty', folder=toy
    )
    assert result.returncode != 0 and 'empty' in result.stderr.splitlines()[-1]


def test_wrong_checkpoint_is_named(toy: Path) -> None:
    torch.save({'net.weight': torch.zeros(1)}, toy / 'foreign.pth')
    tool = REPOSITORY / 'tools/analysis/knn.py'
    result = run(tool, 'knn.py', 'foreign.pth', folder=toy)
    assert result.returncode != 0
    seen = 'foreign.pth was not recognized: the top of the file holds 1 weights, named net.weight'
    assert seen in result.stderr
    result = run(tool, 'knn.py', 'none.pth', folder=toy)
    assert 'no checkpoint at none.pth' in result.stderr.splitlines()[-1]


def test_config_errors_need_no_torch(toy: Path) -> None:
    """What is wrong with the file or the options is said before anything heavy is imported."""
    (toy / 'broken.py').write_text('x = (')
    (toy / 'imports.py').write_text("custom_imports = dict(imports=['no_such_module'])")
    for words, message in (
        (['none.py'], 'no config at none.py'),
        (['broken.py'], 'was never closed'),
        (['imports.py'], "no module named 'no_such_module'"),
        (['knn.py'], 'has no train_cfg'),
        (['toy.yaml'], 'expected a Python file'),
        (['toy.py', '--cfg-options', 'modle.head=1'], "no setting 'modle'"),
        (['toy.py', '--cfg-options', 'model.head'], 'expected KEY=VALUE'),
    ):
        code = (
            f'import sys, runpy; sys.argv = {["tool", *words]!r}\n'
            f'try: runpy.run_path({str(REPOSITORY / "tools/train.py")!r}, run_name="__main__")\n'
            'except (Exception, SystemExit) as error: print(error, "torch" in sys.modules)'
        )
        result = subprocess.run(
            [sys.executable, '-c', code], text=True, capture_output=True, cwd=toy
        )
        assert message in result.stdout.lower() or message in result.stdout, result.stdout
        assert result.stdout.strip().endswith('False'), result.stdout


@pytest.mark.parametrize('tool', TOOLS)
def test_help_needs_no_torch(tool: str) -> None:
    """It answers at once because nothing heavy is imported."""
    code = (
        'import sys, runpy; sys.argv = ["tool", "--help"]\n'
        f'try: runpy.run_path({str(REPOSITORY / "tools" / tool)!r}, run_name="__main__")\n'
        'except SystemExit as end: print(end.code, "torch" in sys.modules)'
    )
    result = subprocess.run([sys.executable, '-c', code], text=True, capture_output=True)
    assert result.stdout.startswith('usage: '), result.stderr
    assert result.stdout.endswith('\n0 False\n'), result.stdout
