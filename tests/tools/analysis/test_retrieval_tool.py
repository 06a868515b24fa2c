"""tools/analysis/retrieval.py: its table, its files, a set in itself, refusals."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from mochi_mm.evaluation import retrieval_evaluate
from tests.evaluation.toy import ToyImages, toy_loader, toy_model
from tests.tools.analysis.test_knn_tool import HOOK

SCRIPT = Path(__file__).resolve().parents[3] / 'tools' / 'analysis' / 'retrieval.py'


@pytest.fixture(scope='module')
def tool() -> Any:
    spec = importlib.util.spec_from_file_location('retrieval_tool', SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp('run')
    (folder / 'config.py').write_text(HOOK)
    torch.save(dict(state_dict=toy_model(5).state_dict()), folder / 'epoch_1.pth')
    return str(folder / 'config.py'), str(folder / 'epoch_1.pth')


def measured(seed: int, within: bool = False) -> dict[str, float]:
    bank, queries = ToyImages(30, noise=1000), ToyImages(12, seed=1, noise=1000)
    loader = toy_loader(queries)
    model = toy_model(seed)
    return retrieval_evaluate(model, loader if within else toy_loader(bank), loader, [1, 5])


def test_table_and_out(tool: Any, files: Any, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / 'retrieval.json'
    results = tool.main([*files, '--untrained', '--k', '1', '5', '--out', str(out)])
    assert results == {files[1]: measured(5), 'untrained': measured(0)}
    assert json.loads(out.read_text())['results'] == results
    head, *lines = capsys.readouterr().out.splitlines()[-3:]
    words = ['network', 'mAP', 'R-precision', 'mAP@R', 'recall@1', 'recall@5', 'found@1', 'found@5']
    assert head.split() == words
    assert lines[1].split()[:2] == ['untrained', f'{measured(0)["retrieval/mAP"]:.2f}']


def test_a_set_in_itself_and_its_record(tool: Any, files: Any, tmp_path: Path) -> None:
    record = tmp_path / 'record.json'
    options = ['--within', 'queries', '--k', '1', '5', '--record', str(record)]
    results = tool.main([*files, *options])
    assert results == {files[1]: measured(5, within=True)}
    written = json.loads(record.read_text())
    assert written['protocol'] == 'retrieval, within the queries'
    assert written['metrics']['retrieval/mAP'] == round(results[files[1]]['retrieval/mAP'], 4)


@pytest.mark.parametrize(
    ('options', 'message'),
    [([], 'give a CHECKPOINT'), (['--untrained', '--record', 'r.json'], '--record is for one')],
)
def test_bad_command_lines(tool: Any, files: Any, options: Any, message: str, capsys: Any) -> None:
    with pytest.raises(SystemExit):
        tool.main([files[0], *options])
    assert message in capsys.readouterr().err
