"""The doctor: one finding for each planted fault, none in a healthy run."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from torch.nn import functional as F

from mochi_mm.runs.doctor import CHECKS, HEALTHY, NOT_MEASURED, WRONG, Finding
from mochi_mm.runs.doctor.own_keys import share_meeting
from tests.runs.doctor.toy import (
    LEAKY,
    copy_of,
    edit_checkpoints,
    edit_config,
    edit_log,
    tiny_run,
)

SCRIPT = Path(__file__).resolve().parents[3] / 'tools' / 'analysis' / 'doctor.py'
METHODS = ('mocov2', 'mochi', 'simclr')
BY_LOGS = {'loss_at_chance', 'still_memory', 'own_keys', 'constant_rate', 'slow_data'}


@pytest.fixture(scope='module')
def tool() -> Any:
    spec = importlib.util.spec_from_file_location('doctor_tool', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp('runs')
    found = {name: tiny_run(folder / name, name) for name in METHODS}
    found['leaky'] = tiny_run(folder / 'leaky', 'mocov2', 2, 4, model=dict(LEAKY))
    found['copies'] = tiny_run(folder / 'copies', 'mocov2', 2, copies=2)
    return found


def states(findings: list[Finding]) -> dict[str, str]:
    """Return the state of each finding by the name of its check's function."""
    return {check.__name__: finding.state for check, finding in zip(CHECKS, findings, strict=True)}


def wrong_in(findings: list[Finding]) -> set[str]:
    return {name for name, state in states(findings).items() if state == WRONG}


def with_data(tool: Any, run: Path, *more: str) -> list[Finding]:
    return tool.main([str(run), '--config', str(run / 'config.py'), '--device', 'cpu', *more])


@pytest.mark.parametrize('method', METHODS)
def test_nothing_is_wrong_with_a_healthy_run(
    tool: Any, runs: dict[str, Path], method: str, tmp_path: Path
) -> None:
    out = tmp_path / 'findings.json'
    findings = with_data(tool, runs[method], '--out', str(out))
    absent = {'still_memory', 'own_keys', 'batch_norm_leak'} if method == 'simclr' else set()
    assert states(findings) == {
        check.__name__: NOT_MEASURED if check.__name__ in absent else HEALTHY for check in CHECKS
    }
    assert json.loads(out.read_text())['findings'] == [finding.record() for finding in findings]
    alone = states(tool.main([str(runs[method])]))
    measured = {name for name, state in alone.items() if state == HEALTHY}
    assert measured == BY_LOGS - absent and WRONG not in alone.values()


def stuck_loss(run: Path) -> None:
    edit_log(run, lambda line, done: line.update(loss_contrast=line['chance_level']))


def fresh_memory(run: Path) -> None:
    """A memory that nothing was written to."""

    def change(weights: dict[str, torch.Tensor]) -> None:
        rows = weights['head.memory.features']
        generator = torch.Generator().manual_seed(0)
        first = torch.randn(*rows.shape, generator=generator)
        weights['head.memory.features'] = F.normalize(first, dim=1)
        weights['head.memory.indices'].fill_(-1)
        weights['head.memory.count'].zero_()
        weights['head.memory.pointer'].zero_()

    edit_checkpoints(run, change)


def one_direction(run: Path) -> None:
    """Embeddings along one axis, of both encoders."""

    def change(weights: dict[str, torch.Tensor]) -> None:
        for neck in ('neck.layers.', 'key_encoder.neck.layers.'):
            weights[f'{neck}3.weight'][1:] = 0
            weights[f'{neck}4.running_mean'][1:] = 0

    edit_checkpoints(run, change)


def same_views(run: Path) -> None:
    config = Config.fromfile(str(run / 'config.py'))
    config.train_dataloader.dataset.pipeline[0].transforms = [[dict(type='Resize', size=16)]]
    config.dump(run / 'config.py')


def full_rate(run: Path) -> None:
    edit_log(run, lambda line, done: line.update(lr=0.1))


def waiting(run: Path) -> None:
    edit_log(run, lambda line, done: line.update(data_time=0.3))


PLANTED: dict[str, tuple[str, Callable[[Path], None] | None, tuple[str, ...]]] = dict(
    loss_at_chance=('mocov2', stuck_loss, ()),
    identical_views=('mochi', same_views, ()),
    still_memory=('mocov2', fresh_memory, ()),
    own_keys=('mochi', None, ('--cfg-options', 'train_dataloader.dataset.size=32')),
    batch_norm_leak=('leaky', None, ('--batches', '28')),
    collapsed_dimensions=('mocov2', one_direction, ()),
    constant_rate=('simclr', full_rate, ()),
    slow_data=('simclr', waiting, ()),
    near_duplicate_negatives=('copies', None, ('--batches', '7')),
)


@pytest.mark.parametrize('fault', PLANTED)
def test_each_planted_fault_is_found(
    tool: Any, runs: dict[str, Path], fault: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    name, plant, options = PLANTED[fault]
    run = copy_of(runs[name], tmp_path)
    if plant is not None:
        plant(run)
    findings = with_data(tool, run, *options)
    # A network that knows its batch alone has nothing else to tell.
    beside = {'collapsed_dimensions'} if fault == 'batch_norm_leak' else set()
    assert fault in wrong_in(findings) <= {fault, *beside}
    found = next(f for c, f in zip(CHECKS, findings, strict=True) if c.__name__ == fault)
    assert found.evidence and found.fix
    told = capsys.readouterr().out
    assert f'WRONG: {found.check}' in told and 'fix: ' in told


def test_logs_alone_are_enough_for_some(tool: Any, runs: dict[str, Path], tmp_path: Path) -> None:
    run = copy_of(runs['mocov2'], tmp_path)
    for path in run.glob('*.pth'):
        path.unlink()
    assert wrong_in(tool.main([str(run)])) == set()
    edit_log(run, lambda line, done: line.update(queue_fill=0.0))
    edit_config(run, 'length=32', 'length=400')
    edit_config(run, "type='CosineAnnealingLR'", "type='ConstantLR'")
    full_rate(run)
    findings = tool.main([str(run)])
    assert wrong_in(findings) == {'still_memory', 'own_keys', 'constant_rate'}
    unseen = [finding for finding in findings if finding.state == NOT_MEASURED]
    assert all('give --config' in finding.sentence for finding in unseen) and len(unseen) == 4


def test_the_share_of_queries_that_meet_their_own_key_is_that_of_a_simulation() -> None:
    generator = torch.Generator().manual_seed(0)
    images = 60
    order = torch.cat([torch.randperm(images, generator=generator) for _ in range(300)])
    for length in (12, 40, 60, 90, 130):
        last: dict[int, int] = {}
        met = 0
        for place, image in enumerate(order.tolist()):
            met += place - last.get(image, -(10**9)) <= length
            last[image] = place
        assert met / len(order) == pytest.approx(share_meeting(length / images), abs=0.015)


def test_text_of_a_run_is_never_executed(tool: Any, runs: dict[str, Path], tmp_path: Path) -> None:
    run = copy_of(runs['simclr'], tmp_path)
    mark = tmp_path / 'executed'
    edit_config(run, 'default_scope', f'bad = open({str(mark)!r}, "w")\ndefault_scope')
    tool.main([str(run)])
    assert not mark.exists()


def test_what_is_no_run_is_refused(tool: Any, runs: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match='no folder'):
        tool.main([str(tmp_path / 'absent')])
    (tmp_path / 'empty').mkdir()
    with pytest.raises(FileNotFoundError, match='no logs in'):
        tool.main([str(tmp_path / 'empty')])
    run = copy_of(runs['simclr'], tmp_path)
    with pytest.raises(FileNotFoundError, match='no checkpoint'):
        tool.main([str(run), '--checkpoint', str(run / 'epoch_99.pth')])
    with pytest.raises(ValueError, match='does not cover the backbone'):
        tool.main([str(run), '--config', str(runs['leaky'] / 'config.py')])
    edit_config(run, "'mochi_mm'", "'mmdet'")
    with pytest.raises(ValueError, match="another project: its config has default_scope='mmdet'"):
        tool.main([str(run), '--out', str(tmp_path / 'none.json')])
    (scalars,) = run.glob('*/vis_data/scalars.json')
    scalars.write_text('')
    with pytest.raises(ValueError, match='before it logged a single value'):
        tool.main([str(run)])
    assert not (tmp_path / 'none.json').exists()
