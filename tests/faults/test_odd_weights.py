"""Weights, states and features that no training leaves are refused at every door, by name.

python -m pytest tests/faults/test_odd_weights.py
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mochi_mm.datasets.shapes.image_cache import rendered
from mochi_mm.engine.initializers import Pretrained
from mochi_mm.evaluation.analysis.load_model import load_for_analysis, position_of
from mochi_mm.evaluation.feature_file import cached_features
from mochi_mm.export import export_backbone
from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.files.load_weights import load_backbone, load_for_test
from mochi_mm.files.safetensors_file import read_safetensors, write_safetensors
from mochi_mm.files.trained_weights import check_weights
from mochi_mm.models.backbones import ResNet
from tests.faults.test_bad_checkpoints import finished, folder, resumed_from  # noqa: F401
from tests.models.algorithms.toy import build_moco
from tests.toy_runner import runner_config, train

Weights = dict[str, Any]


def put(name: str, make: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[Weights], None]:
    def change(state: Weights) -> None:
        for full in [full for full in state if full.endswith(name)][:1]:
            state[full] = make(state[full])

    return change


def one(value: float) -> Callable[[torch.Tensor], torch.Tensor]:
    def make(tensor: torch.Tensor) -> torch.Tensor:
        tensor = tensor.double()
        tensor.view(-1)[0] = value
        return tensor

    return make


ODD: dict[str, tuple[Callable[[Weights], None], str]] = {
    'NaN': (put('conv1.weight', one(float('nan'))), 'holds NaN or infinity'),
    'beyond float32': (put('conv1.weight', one(1e300)), 'beyond torch.float32'),
    'beyond it in a statistic': (put('running_mean', one(-1e40)), 'beyond torch.float32'),
    'a negative variance': (put('running_var', one(-1e-3)), 'is a variance below zero'),
    'an infinite variance': (put('running_var', one(float('inf'))), 'holds NaN or infinity'),
    'a negative counter': (put('num_batches_tracked', lambda t: t * 0 - 1), 'counter below zero'),
    'a counter with a fraction': (
        put('num_batches_tracked', lambda t: t + 0.5),
        'expected torch.int64',
    ),
    'complex numbers': (
        put('conv1.weight', lambda t: t.to(torch.complex64)),
        'is of torch.complex64',
    ),
    'whole numbers': (put('conv1.weight', lambda t: t.long()), 'is of torch.int64'),
    'flags': (put('bn1.weight', lambda t: t > 0), 'is of torch.bool'),
    'numbers of 8 bits': (
        put('conv1.weight', lambda t: t.to(torch.float8_e4m3fn)),
        'is of torch.float8_e4m3fn',
    ),
}


def exported(path: Path) -> None:
    record = dict(mean=None, std=None, backbone=dict(type='ResNet', depth=10, width=0.25))
    content = torch.load(path)
    torch.save(dict(content, meta=dict(mochi_mm=record)), path)
    export_backbone(path, 'backbone', overwrite=True)


def detector(path: Path) -> None:
    pytest.importorskip('mmdet', reason='mmdet is not installed')
    from mochi_mm.transfer.weights.load_detector import load_detector

    model = torch.nn.Module()
    model.backbone = ResNet(10, 0.25)
    load_detector(model, path)


def whole(path: Path) -> None:
    model = torch.nn.Module()
    model.backbone, model.head = ResNet(10, 0.25), torch.nn.Linear(2, 2)
    content = torch.load(path)
    content['state_dict'] |= {f'head.{n}': t for n, t in model.head.state_dict().items()}
    torch.save(content, path)
    load_for_test(model, path)


DOORS: dict[str, Callable[[Path], Any]] = {
    'load_backbone': lambda path: load_backbone(ResNet(10, 0.25), path),
    'load_for_test': whole,
    'init_cfg': lambda path: Pretrained(str(path), 'backbone')(ResNet(10, 0.25)),
    'export': exported,
    'detector': detector,
}


@pytest.mark.parametrize('door', DOORS)
@pytest.mark.parametrize('name', ODD)
def test_weights_that_no_training_leaves(name: str, door: str, tmp_path: Path) -> None:
    change, words = ODD[name]
    state = {f'backbone.{n}': t for n, t in ResNet(10, 0.25).state_dict().items()}
    path = tmp_path / 'odd.pth'
    torch.save(dict(state_dict=state), path)
    DOORS[door](path)
    change(state)
    torch.save(dict(state_dict=state), path)
    with pytest.raises(ValueError, match=rf'odd\.pth: \S+ .*{words}'):
        DOORS[door](path)


def test_half_and_double_precision_are_weights_too() -> None:
    wanted = ResNet(10, 0.25).state_dict()
    for kind in (torch.float16, torch.bfloat16, torch.float64):
        found = {n: t.to(kind) if t.is_floating_point() else t.int() for n, t in wanted.items()}
        check_weights(found, 'file', wanted)
    double = {n: t.double() * 1e5 for n, t in wanted.items() if n == 'conv1.weight'}
    check_weights(double, 'file', wanted)
    half = {n: t.half() for n, t in wanted.items()}
    double['conv1.weight'][0] = 1e5
    with pytest.raises(ValueError, match=r'beyond torch\.float16'):
        check_weights(double, 'file', half)


@pytest.mark.parametrize('way', ['load_from', 'resume'])
def test_a_run_does_not_start_from_them(way: str, finished: Path, tmp_path: Path) -> None:  # noqa: F811
    content = read_checkpoint(finished / 'epoch_1.pth')
    put('running_var', one(-1.0))(content['state_dict'])
    torch.save(content, tmp_path / 'odd.pth')
    config = runner_config(tmp_path / 'run', max_epochs=2)
    config.load_from, config.resume = str(tmp_path / 'odd.pth'), way == 'resume'
    config.experiment_name += way
    with pytest.raises(ValueError, match=r'odd\.pth: \S+ is a variance below zero'):
        train(config)


def _set(*path: Any) -> Callable[[dict[str, Any]], None]:
    *way, last, value = path

    def change(content: Any) -> None:
        for key in way:
            content = content[key]
        content[last] = value

    return change


STATES: dict[str, Callable[[dict[str, Any]], None]] = {
    'a list for the position': _set('meta', 'run', []),
    'text for the position': _set('meta', 'epoch', 'x'),
    'no settings': _set('meta', 'run', {}),
    'meta that is a list': _set('meta', [1]),
    'an optimizer that is a list': _set('optimizer', [1]),
    'groups that are text': _set('optimizer', 'param_groups', 'x'),
    'states that are a list': _set('optimizer', 'state', [1]),
    'an infinite rate': _set('optimizer', 'param_groups', 0, 'lr', float('inf')),
    'a rate that is text': _set('optimizer', 'param_groups', 0, 'lr', '0.1'),
    'schedules that are numbers': _set('param_schedulers', 0, 1),
    'a schedule that replaces a method': _set('param_schedulers', 0, 'step', 'x'),
    'a schedule of another kind': _set('param_schedulers', 0, 'last_step', 'x'),
    'a schedule that is not finite': _set('param_schedulers', 0, 'last_step', float('nan')),
    'curves that are text': _set('message_hub', 'log_scalars', 'x'),
    'a curve of two': _set('message_hub', 'log_scalars', dict(loss=[1, 2])),
    'no curves': _set('message_hub', {}),
    'weights that are a list': _set('state_dict', [torch.ones(1)]),
}


@pytest.mark.parametrize('name', STATES)
def test_states_that_no_run_writes(name: str, folder: Path) -> None:  # noqa: F811
    content = read_checkpoint(folder / 'epoch_1.pth')
    STATES[name](content)
    torch.save(content, folder / 'odd.pth')
    logging.disable(logging.CRITICAL)
    try:
        with pytest.raises(ValueError, match=r'odd\.pth'):
            resumed_from(folder, 'odd.pth')
    finally:
        logging.disable(logging.NOTSET)


FEATURES: dict[str, Callable[[Weights], Any]] = {
    'no features': lambda t: t.pop('features'),
    'no labels': lambda t: t.pop('labels'),
    'fewer rows': lambda t: t.update(features=t['features'][:-1].clone()),
    'a row of features': lambda t: t.update(features=t['features'][0].clone()),
    'NaN': lambda t: t['features'].fill_(float('nan')),
    'another precision': lambda t: t.update(features=t['features'].double()),
    'labels with fractions': lambda t: t.update(labels=t['labels'].float()),
    'labels below zero': lambda t: t['labels'].fill_(-1),
    'columns of labels': lambda t: t.update(labels=t['labels'][:, None].clone()),
}


@pytest.mark.parametrize('name', FEATURES)
def test_features_that_no_extraction_writes(name: str, tmp_path: Path) -> None:
    from tests.evaluation.toy import ToyImages, toy_loader, toy_model

    path, model, loader = tmp_path / 'f.safetensors', toy_model(), toy_loader(ToyImages(6))
    cached_features(path, model, loader)
    tensors, metadata = read_safetensors(path)
    cached_features(path, model, loader)
    FEATURES[name](tensors)
    write_safetensors(path, tensors, metadata)
    with pytest.raises(ValueError, match=r'f\.safetensors does not hold finite'):
        cached_features(path, model, loader)


def test_names_in_an_error_move_no_cursor(tmp_path: Path) -> None:
    state = {'\x1b[2J\ud800': torch.ones(1), 3: torch.ones(1)}
    torch.save(dict(state_dict=state), tmp_path / 'a.pth')
    with pytest.raises(
        ValueError, match=r'a\.pth was not recognized: state_dict holds 2'
    ) as refused:
        load_backbone(ResNet(10, 0.25), tmp_path / 'a.pth')
    assert '\x1b' not in str(refused.value) and str(refused.value).isascii()


@pytest.mark.parametrize(
    'meta',
    [dict(epoch='1'), dict(epoch=True), dict(iter=-1), dict(time=['x']), dict(time='\x1b[2J')],
)
def test_positions_that_are_none(meta: Any, tmp_path: Path) -> None:
    torch.save(dict(meta=meta, state_dict={}), tmp_path / 'odd.pth')
    with pytest.raises(ValueError, match=r'odd\.pth: meta\.\w+ is'):
        position_of(tmp_path / 'odd.pth')
    torch.save(dict(meta=[meta]), tmp_path / 'odd.pth')
    assert position_of(tmp_path / 'odd.pth') == {}


def test_an_analysis_reads_no_odd_memory(tmp_path: Path) -> None:
    model = build_moco()
    state = model.state_dict()
    torch.save(dict(state_dict=state), tmp_path / 'odd.pth')
    load_for_analysis(model, tmp_path / 'odd.pth')
    put('memory.features', one(1e300))(state)
    torch.save(dict(state_dict=state), tmp_path / 'odd.pth')
    with pytest.raises(ValueError, match=r'odd\.pth: head\.memory\.features .*beyond'):
        load_for_analysis(model, tmp_path / 'odd.pth')


@pytest.mark.parametrize('images', [np.zeros((3, 8, 8, 3), np.uint8), np.zeros((2, 8, 8, 3))])
def test_scenes_of_another_kind(images: Any, tmp_path: Path) -> None:
    def draw(index: int) -> Any:
        return np.full((8, 8, 3), index, np.uint8)

    assert rendered(tmp_path, 'settings', 2, 8, draw)[1, 0, 0, 0] == 1
    (file,) = tmp_path.glob('*.npy')
    np.save(file, images)
    with pytest.raises(ValueError, match=rf'{file.name} holds .* expected \(2, 8, 8, 3\)'):
        rendered(tmp_path, 'settings', 2, 8, draw)
