"""Three steps of a config are the same bits again; a change of the numbers, or of a name, shows."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

ROOT = Path(__file__).resolve().parents[3]
TOOL = ROOT / 'tools/benchmarks/reference_steps.py'
CONFIG = 'configs/mochi/mochi-128-128-64_resnet10w025_1xb128-quickstart_shapes.py'


@pytest.fixture(scope='module')
def tool() -> Any:
    spec = importlib.util.spec_from_file_location('reference_steps', TOOL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def written(tool: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('reference') / 'new' / 'steps.json'
    threads = torch.get_num_threads()
    assert tool.main(['--out', str(path), str(ROOT / CONFIG)]) == 0
    assert torch.get_num_threads() == threads
    return path


def test_what_is_written(written: Path) -> None:
    taken = json.loads(written.read_text())['configs'][CONFIG]['float32']
    head = taken['settings']['head']
    assert (head['num_hard'], head['start_epoch'], head['memory']['length']) == (5, 0, 42)
    assert len(taken['steps']) == 3
    for step in taken['steps']:
        assert float(step['values']['share_harder']['decimal']) > 0  # it mixes
        assert {'all', 'backbone', 'neck'} == set(step['gradients'])
        assert {'trained', 'averaged', 'running'} == set(step['weights'])
    # The memory wraps around, and the key encoder moves.
    assert taken['steps'][2]['memory']['head.memory.pointer']['sum']['decimal'] == str(3 * 32 - 84)
    averaged = [s['weights']['averaged']['digest'] for s in [taken['initial'], *taken['steps']]]
    assert len(set(averaged)) == 4
    assert taken['state_dict']['head.memory.features'] == [42, 64]


def test_repeated_steps_are_the_same_bits(
    tool: Any, written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tool.main(['--compare', str(written), CONFIG]) == 0
    assert f'{CONFIG}: the same bits\n1 of 1 configs with the same' in capsys.readouterr().out


def test_other_rounding_is_equal_and_another_number_is_not(
    tool: Any, written: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def exact(rows: torch.Tensor, dim: int = 1) -> torch.Tensor:
        wide = rows.double()
        return (factor * wide / wide.norm(dim=dim, keepdim=True)).to(rows)

    factor = 1.0
    monkeypatch.setattr(F, 'normalize', exact)
    found = tool.compare_config(CONFIG, json.loads(written.read_text())['configs'][CONFIG])
    # A share is a count: where two cosines are equal, rounding decides.
    lines = [line for line in found[1] if 'share_harder' not in line]
    assert any(line.startswith('float64, step 3, gradients') for line in lines)
    assert all(float(line.split(' is ')[1].split()[0]) < 1e-6 for line in lines[2:])
    factor = 1 + 1e-4
    assert tool.main(['--compare', str(written), CONFIG]) == 1
    assert f'{CONFIG}: DIFFERS by ' in capsys.readouterr().out


def test_names_are_listed_and_fail_nothing(
    tool: Any, written: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    former = json.loads(written.read_text())
    former['configs'][CONFIG]['float32']['state_dict']['backbone_head.row'] = [3]
    other = tmp_path / 'other.json'
    other.write_text(json.dumps(former))
    assert tool.main(['--compare', str(other), CONFIG]) == 0
    out = capsys.readouterr().out
    assert 'the same bits, other names\n    state dict: backbone_head.row [3] is gone\n' in out


def test_a_config_that_is_gone_fails_and_one_that_is_not_there_is_refused(
    tool: Any,
    written: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tool, 'pretraining_configs', lambda: [CONFIG])
    former = json.loads(written.read_text())
    former['configs'] = {'configs/mochi/former.py': former['configs'][CONFIG]}
    other = tmp_path / 'other.json'
    other.write_text(json.dumps(former))
    assert tool.main(['--compare', str(other)]) == 1
    out = capsys.readouterr().out
    assert 'former.py: GONE' in out and f'does not have 1 configs: {CONFIG}' in out
    with pytest.raises(KeyError, match='has no steps of configs/mochi/mochi-128.*add them'):
        tool.main(['--compare', str(other), CONFIG])


def test_all_pretraining_configs_are_found(tool: Any) -> None:
    found = tool.pretraining_configs()
    assert CONFIG in found and len(found) >= 61
    assert {name.split('/')[1] for name in found} >= {'cmc', 'dcl', 'fnc', 'mocov2', 'sce', 'synco'}
    assert not [name for name in found if 'benchmarks' in name or 'linear' in name]


def test_views_and_sizes(tool: Any) -> None:
    assert tool.num_views([dict(type='MultiView', num_views=[1, 2]), dict(type='Pack')]) == 3
    assert tool.num_views([dict(type='Pack')]) == 1
    first, again = tool.batch_of(1, 2, 32), tool.batch_of(1, 2, 32)
    assert all(map(torch.equal, first['inputs'], again['inputs']))
    assert [(view.dtype, tuple(view.shape)) for view in first['inputs']] == [
        (torch.uint8, (32, 3, 32, 32))
    ] * 2
    samples = first['data_samples']
    assert len(set(samples['sample_idx'].tolist())) == 32
    aligned = (samples['gt_label'] == samples['bias_label']).float().mean()
    assert 0.5 < aligned < 1


def test_help_needs_no_torch() -> None:
    code = (
        'import runpy, sys\n'
        'sys.argv = ["tool", "--help"]\n'
        'try:\n'
        f'    runpy.run_path({str(TOOL)!r}, run_name="__main__")\n'
        'except SystemExit as end:\n'
        '    sys.exit(end.code or int("torch" in sys.modules or "mmengine" in sys.modules))\n'
    )
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and '--compare FILE' in done.stdout, done.stderr
