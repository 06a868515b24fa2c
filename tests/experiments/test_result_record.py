"""Where a figure is from: paths as from the repository, whatever the working directory."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

from mochi_mm.experiments.result_record import command_line, result_record

ROOT = Path(__file__).resolve().parents[2]
CONFIG = 'configs/benchmarks/knn/knn_resnet50_in1k.py'


@pytest.mark.parametrize('folder', [ROOT, ROOT / 'tools'])
def test_paths_of_the_repository_are_as_from_its_root(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (folder, tmp_path):
        monkeypatch.chdir(place)
        words = [ROOT / 'tools/analysis/knn.py', ROOT / CONFIG, tmp_path / 'a.pth', '--k', '20']
        monkeypatch.setattr(sys, 'argv', [str(word) for word in words])
        found = f'python tools/analysis/knn.py {CONFIG} {tmp_path}/a.pth --k 20'
        assert command_line() == found
        record = result_record('kNN', str(ROOT / CONFIG), {'a': 1.0}, 'b')
        assert record['config'] == CONFIG and record['command'] == found


@pytest.mark.parametrize('tool', ['analysis/knn.py', 'analysis/linear_probe.py', 'test.py'])
def test_a_record_that_is_a_folder_is_refused_at_once(
    tool: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module = runpy.run_path(str(ROOT / 'tools' / tool))
    with pytest.raises(SystemExit):
        module['parse_args']([CONFIG, 'a.pth', '--record', str(tmp_path)])
    assert 'is a folder; expected a file' in capsys.readouterr().err
