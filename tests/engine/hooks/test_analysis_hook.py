"""Analyses during training: when, what is written, the same by the tool, and without a trace."""

from __future__ import annotations

import importlib.util
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mochi_mm.engine.hooks import AnalysisHook
from mochi_mm.evaluation.analysis import read_analysis
from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.launch.runner import build_runner
from tests import toy_runner
from tests.evaluation.analysis.toy import PLAIN
from tests.toy_runner import REPOSITORY, runner_config, train

SAMPLES = dict(
    batch_size=5,
    num_workers=0,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(type='NoiseImages', size=12, pipeline=PLAIN),
)


def hook(**changes: Any) -> dict[str, Any]:
    return dict(dict(type='AnalysisHook', dataloader=SAMPLES, num_queries=8, interval=2), **changes)


def config(folder: Path, hooks: list[dict], epochs: int = 3) -> Any:
    return runner_config(folder, max_epochs=epochs, custom_hooks=hooks)


def run(folder: Path, hooks: list[dict], epochs: int = 3) -> Any:
    torch.manual_seed(0)
    return train(config(folder, hooks, epochs))


def test_weights_and_memory_are_those_of_a_run_without_the_hook(tmp_path: Path) -> None:
    plain = run(tmp_path / 'plain', [])
    hooked = run(tmp_path / 'hooked', [hook(interval=1, at_start=True)])
    state = hooked.model.state_dict()
    for name, value in plain.model.state_dict().items():
        assert torch.equal(state[name], value), name
    names = sorted(path.name for path in (tmp_path / 'hooked/analysis').iterdir())
    assert names == sorted(f'epoch_{n}.{kind}' for n in range(4) for kind in ('json', 'npz'))


def test_every_interval_and_the_end(tmp_path: Path) -> None:
    runner = run(tmp_path, [hook(pictures=True)])
    records = {n: read_analysis(tmp_path / f'analysis/epoch_{n}.json')[0] for n in (2, 3)}
    assert len(list((tmp_path / 'analysis').glob('*.json'))) == 2
    assert [(r['epoch'], r['iter']) for r in records.values()] == [(2, 8), (3, 12)]
    # Compares with the log folder of the run, so that the report knows whose it is.
    assert all(runner.timestamp <= r['saved'] for r in records.values())
    assert records[3]['counts'] == dict(samples=12, queries=8, memory=16, num_hard=4)
    log = next(tmp_path.rglob(f'vis_data/{runner.timestamp}.json')).read_text().splitlines()
    logged = [line for line in map(json.loads, log) if 'analysis/acc_contrast' in line]
    for line, record in zip(logged, records.values(), strict=True):
        assert (line['epoch'], line['step']) == (record['epoch'], record['iter'])
        for name, value in record['scalars'].items():
            assert line[f'analysis/{name}'] == value, name
    for kind in ('neighbors', 'negatives'):
        png = (tmp_path / f'analysis/epoch_3_{kind}.png').read_bytes()
        assert png.startswith(b'\x89PNG')


def test_of_a_dead_network_the_rank_is_missing_and_the_run_goes_on(tmp_path: Path) -> None:
    runner = build_runner(config(tmp_path, [hook(interval=1)], epochs=2))
    runner.model.backbone.register_forward_hook(
        lambda module, inputs, maps: maps if module.training else tuple(part * 0 for part in maps)
    )
    runner.train()
    record, arrays = read_analysis(tmp_path / 'analysis/epoch_2.json')
    assert record['missing']['rank/backbone'].startswith('all singular values are 0')
    assert math.isnan(record['scalars']['rank/backbone'])
    assert record['scalars']['uniformity/backbone'] == 0.0
    assert not arrays['singular_values_backbone'].any()
    assert 'analysis/rank/backbone' not in runner.message_hub.log_scalars
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert log.count('analysis: no rank/backbone: all singular values are 0') == 1


def test_a_full_disk_costs_the_analysis_and_not_the_run(tmp_path: Path, monkeypatch: Any) -> None:
    def full(*args: Any) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('mochi_mm.engine.hooks.analysis_hook.write_analysis', full)
    assert run(tmp_path, [hook()]).iter == 12
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert log.count('could not be written: [Errno 28]') == 2


def tool() -> Any:
    path = REPOSITORY / 'tools/analysis/analyze.py'
    spec = importlib.util.spec_from_file_location('analyze_tool', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def trained(tmp_path: Path) -> tuple[Path, Path]:
    """The config of a run and its last checkpoint."""
    made = config(tmp_path / 'run', [hook()], epochs=2)
    made.custom_imports = dict(imports=[toy_runner.__name__])
    path = tmp_path / 'toy.py'
    made.dump(path)
    torch.manual_seed(0)
    train(made)
    return path, tmp_path / 'run/epoch_2.pth'


def test_the_tool_gives_the_same_numbers(trained: tuple[Path, Path], tmp_path: Path) -> None:
    path, checkpoint = trained
    tool().main([str(path), str(checkpoint), '--out', str(tmp_path / 'out'), '--device', 'cpu'])
    wanted, arrays = read_analysis(tmp_path / 'run/analysis/epoch_2.json')
    found, same = read_analysis(tmp_path / 'out/epoch_2.json')
    for part in ('scalars', 'missing', 'counts', 'settings', 'epoch', 'iter'):
        assert found[part] == wanted[part], part
    assert found['saved'] == read_checkpoint(checkpoint)['meta']['time']
    assert found['checkpoint'] == str(checkpoint) and set(same) == set(arrays)
    for name, values in arrays.items():
        np.testing.assert_array_equal(same[name], values)


def test_the_tool_on_a_backbone_alone(
    trained: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path, checkpoint = trained
    weights = torch.load(checkpoint, weights_only=True)['state_dict']
    bare = tmp_path / 'bare.pth'
    torch.save({n: v for n, v in weights.items() if n.startswith('backbone.')}, bare)
    tool().main([str(path), str(bare), '--pictures', '--device', 'cpu'])
    told = capsys.readouterr().out
    assert f'not available: {bare} holds no memory' in told
    assert 'picture negatives not available' in told
    left = sorted(p.name for p in (tmp_path / 'analysis').iterdir())
    assert left == ['bare.json', 'bare.npz', 'bare_neighbors.png']
    out = tmp_path / 'asked'
    with pytest.raises(ValueError, match="measure 'accuracy' was asked for, but .*no memory"):
        tool().main([str(path), str(bare), '--measures', 'accuracy', '--out', str(out)])
    assert not out.exists()


def test_settings_are_checked_when_built() -> None:
    for changes, message in (
        (dict(interval=0), 'interval is 0'),
        (dict(t=-1), 't is -1'),
        (dict(measures=['none']), 'expected some of class_alignment'),
    ):
        with pytest.raises(ValueError, match=message):
            AnalysisHook({}, **changes)


def test_a_memory_that_is_too_short_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='num_hard is 99 but the memory holds 16 keys'):
        run(tmp_path, [hook(num_hard=99, at_start=True)])
    assert not (tmp_path / 'analysis').exists()
