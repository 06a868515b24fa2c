"""The evidence tool around its runs: exit status, going on, seeds that stay, records."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from mochi_mm.experiments import outputs
from tests.experiments.toy import finish, write_images
from tests.toy_runner import REPOSITORY


@pytest.fixture
def evidence(monkeypatch: pytest.MonkeyPatch) -> Any:
    path = REPOSITORY / 'tools/benchmarks/evidence.py'
    spec = importlib.util.spec_from_file_location('evidence', path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.signal, 'signal', lambda *args: None)
    monkeypatch.setattr(outputs, 'write_pictures', lambda sweep, runs: [])
    return module


@pytest.fixture
def started(evidence: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Runs are not trained: a process ends with 3 for those of ``failing``, others get a result."""
    names: list[str] = []

    def command(sweep: Any, run: Any) -> list[str]:
        names.append(f'{run.setting.name} {run.seed}')
        if run.seed in failing:
            return [sys.executable, '-c', 'import sys; sys.exit(3)']
        finish(run, lambda key: 10.0 + run.seed)
        return [sys.executable, '-c', '']

    failing: set[int] = set()
    monkeypatch.setattr(evidence, 'command', command)
    evidence.failing = failing
    return names


def test_a_failure_is_named_and_the_next_call_goes_on(
    evidence: Any, started: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_images(tmp_path / 'data')
    words = ['--data-root', str(tmp_path / 'data'), '--out', str(tmp_path / 'out')]
    words += ['--epochs', '2', '--images-per-class', '20', '--settings', 'mocov2', '--jobs', '3']
    words += ['--record', str(tmp_path / 'records')]
    evidence.failing.add(1)
    assert evidence.main(words) == 1
    told = capsys.readouterr()
    assert 'not finished: cifar10 mocov2 seed 1' in told.err
    assert '| MoCo-v2 | 2 of 3, **missing: 1** | 11.0 ± 1.4 |' in told.out
    assert started == ['mocov2 0', 'mocov2 1', 'mocov2 2']
    assert not (tmp_path / 'records').exists()

    evidence.failing.clear()
    # Fewer seeds than before: those that were started belong to the sweep.
    assert evidence.main([*words, '--seeds', '0']) == 0
    assert started[3:] == ['mocov2 1']
    assert '| MoCo-v2 | 3 of 3 | 11.0 ± 1.0 |' in (tmp_path / 'out/table.md').read_text()
    assert len(list((tmp_path / 'records').iterdir())) == 3
    with pytest.raises(ValueError, match='was made with'):
        evidence.main([*words, '--epochs', '3'])


def test_the_command_of_a_run_names_it(evidence: Any, tmp_path: Path) -> None:
    write_images(tmp_path / 'cpu', train=3, val=1)
    args = evidence.parse_args(
        [
            *('--data-root', str(tmp_path / 'cpu'), '--out', str(tmp_path / 'out')),
            *('--images-per-class', '2', '--seeds', '7'),
        ]
    )
    sweep, runs, seeds = evidence.plan(args)
    assert (sweep.epochs, seeds, len(runs)) == (10, [7], 7)
    words = evidence.command(sweep, runs[3])
    assert words[2:] == [
        *('--suite', 'cpu', '--data', 'cifar10', '--setting', 'mochi-256-256-0', '--seed', '7'),
        *('--epochs', '10', '--images-per-class', '2'),
        *('--data-root', str(tmp_path / 'cpu'), '--out', str(tmp_path / 'out')),
    ]
    assert json.loads((tmp_path / 'out/plan.json').read_text())['images_per_class'] == 2


def test_bad_input(evidence: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match='--settings nonsense: cpu has untrained, mocov2'):
        evidence.plan(evidence.parse_args(['--settings', 'nonsense', '--out', str(tmp_path)]))
    for words in (['--seeds', '1', '1'], ['--epochs', '0'], ['--seeds', '-1']):
        with pytest.raises(SystemExit):
            evidence.parse_args(words)
    import torch

    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(ValueError, match='--device is cuda'):
        evidence.environment('cuda', 1)
    assert evidence.environment('cpu', 2)['OMP_NUM_THREADS'] == '2'
