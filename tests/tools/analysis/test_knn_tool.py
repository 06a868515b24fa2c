"""tools/analysis/knn.py on a benchmark config and on a pre-training config."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from mochi_mm.evaluation.knn_evaluate import knn_evaluate
from mochi_mm.launch.config import load_config
from mochi_mm.registry import MODELS
from tests.evaluation.toy import ToyImages, toy_loader, toy_model

SCRIPT = Path(__file__).resolve().parents[3] / 'tools' / 'analysis' / 'knn.py'
COMMON = """
default_scope = 'mochi_mm'
custom_imports = dict(imports=['tests.evaluation.toy'])
model = dict(type='ToyAlgorithm', backbone=dict(type='ToyBackbone'))
def loader(size, seed):
    return dict(
        batch_size=5, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=dict(type='default_collate'),
        dataset=dict(type='ToyImages', size=size, seed=seed, noise=1000))
bank, queries = loader(30, 0), loader(12, 1)
del loader
"""
LOOP = (
    COMMON
    + """
test_dataloader = queries
test_evaluator = []
test_cfg = dict(type='KNNLoop', bank_dataloader=bank, k=[1, 5], temperature=0.2)
"""
)
HOOK = (
    COMMON
    + """
custom_hooks = [dict(type='KNNHook', bank_dataloader=bank, query_dataloader=queries, k=5)]
"""
)


@pytest.fixture(scope='module')
def tool() -> Any:
    spec = importlib.util.spec_from_file_location('knn_tool', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def expected(seed: int, k: tuple[int, ...], temperature: float) -> dict[str, float]:
    return knn_evaluate(
        toy_model(seed),
        toy_loader(ToyImages(30, noise=1000)),
        toy_loader(ToyImages(12, seed=1, noise=1000)),
        k,
        temperature,
    )


def write(folder: Path, text: str) -> tuple[str, str]:
    """Write the config, and the weights of another seed as its checkpoint."""
    config, checkpoint = folder / 'config.py', folder / 'epoch_1.pth'
    config.write_text(text)
    torch.save(dict(state_dict=toy_model(5).state_dict()), checkpoint)
    return str(config), str(checkpoint)


def test_benchmark_config(tool: Any, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    config, checkpoint = write(tmp_path, LOOP)
    out = tmp_path / 'knn.json'
    results = tool.main([config, checkpoint, '--untrained', '--out', str(out), '--device', 'cpu'])
    assert results == {checkpoint: expected(5, (1, 5), 0.2), 'untrained': expected(0, (1, 5), 0.2)}
    record = json.loads(out.read_text())
    assert record == dict(config=config, temperature=0.2, similarity='cosine', results=results)
    table = capsys.readouterr().out.splitlines()[-5:]
    assert table[0].split() == ['network', 'k', 'top-1', 'top-5']
    top1, top5 = (results['untrained'][f'knn/top{n}_k5'] for n in (1, 5))
    assert table[4].split() == ['untrained', '5', f'{top1:.2f}', f'{top5:.2f}']


def test_a_record_of_one_checkpoint(tool: Any, tmp_path: Path) -> None:
    config, checkpoint = write(tmp_path, LOOP)
    results = tool.main([config, checkpoint, '--record', str(tmp_path / 'r.json')])
    record = json.loads((tmp_path / 'r.json').read_text())
    assert record['metrics'] == pytest.approx(results[checkpoint], abs=1e-4)
    assert record['protocol'] == 'weighted kNN, temperature 0.2'
    assert record['pretraining'] == tmp_path.name
    with pytest.raises(SystemExit):
        tool.main([config, checkpoint, '--untrained', '--record', str(tmp_path / 's.json')])


def test_hook_config_and_options(tool: Any, tmp_path: Path) -> None:
    config, checkpoint = write(tmp_path, HOOK)
    assert tool.main([config, checkpoint])[checkpoint] == expected(5, (5,), 0.07)
    results = tool.main(
        [config, '--untrained', '--k', '3', '7', '--temperature', '0.5', '--seed', '5']
    )
    assert results == dict(untrained=expected(5, (3, 7), 0.5))


def test_images_of_another_training_are_refused(
    tool: Any, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """The toy does not normalize; the checkpoint says that it was trained on images that are."""
    config, checkpoint = write(tmp_path, LOOP)
    record = dict(mean=[1.0, 2.0, 3.0], std=[4.0, 5.0, 6.0], channel_order='bgr', algorithm='MoCo')
    content = dict(state_dict=toy_model(5).state_dict(), meta=dict(mochi_mm=record))
    torch.save(content, checkpoint)
    words = [config, checkpoint, '--device', 'cpu']
    with pytest.raises(ValueError, match='mean: trained with 1 2 3, the config uses') as error:
        tool.main(words)
    assert checkpoint in str(error.value) and '--allow-other-input' in str(error.value)
    results = tool.main([*words, '--allow-other-input'])
    assert results == {checkpoint: expected(5, (1, 5), 0.2)}
    assert 'Allowed: the config contradicts' in capsys.readouterr().out


def test_errors(tool: Any, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    config, checkpoint = write(tmp_path, COMMON)
    with pytest.raises(ValueError, match='says nothing about kNN'):
        tool.main([config, checkpoint])
    config, _ = write(tmp_path, LOOP)
    with pytest.raises(FileNotFoundError, match='no checkpoint'):
        tool.main([config, str(tmp_path / 'absent.pth')])
    with pytest.raises(ValueError, match='k is 99'):
        tool.main([config, checkpoint, '--k', '99'])
    torch.save(dict(state_dict=dict(other=torch.zeros(1))), checkpoint)
    with pytest.raises(ValueError, match='not recognized: state_dict holds 1 weights, named other'):
        tool.main([config, checkpoint, '--out', str(tmp_path / 'knn.json')])
    assert not (tmp_path / 'knn.json').exists()
    for arguments, message in [
        ([config], 'give a CHECKPOINT'),
        ([config, '--untrained', '--out', 'no/such/x.json'], 'no folder'),
    ]:
        with pytest.raises(SystemExit):
            tool.main(arguments)
        assert message in capsys.readouterr().err


LEARNED = (
    LOOP.replace('ToyAlgorithm', 'InBatchContrast').replace(
        "backbone=dict(type='ToyBackbone')",
        "backbone=dict(type='ToyBackbone'), "
        "neck=dict(type='MLPNeck', in_channels=16, out_channels=6), "
        "head=dict(type='BregmanHead', in_channels=6, num_subnets=5, hidden_channels=4)",
    )
    + "test_cfg['similarity'] = 'learned'\n"
)


def test_a_learned_similarity_takes_neck_and_head(
    tool: Any, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    config, backbone = write(tmp_path, LEARNED)
    with pytest.raises(ValueError, match=r'holds no neck.*which a learned similarity needs'):
        tool.main([config, backbone])
    torch.manual_seed(5)
    trained = MODELS.build(load_config(config).model)
    checkpoint = str(tmp_path / 'whole.pth')
    torch.save(dict(state_dict=trained.state_dict()), checkpoint)
    found = tool.main([config, checkpoint, '--record', str(tmp_path / 'r.json')])[checkpoint]
    assert found == knn_evaluate(
        trained,
        toy_loader(ToyImages(30, noise=1000)),
        toy_loader(ToyImages(12, seed=1, noise=1000)),
        (1, 5),
        0.2,
        similarity='learned',
    )
    assert 'knn_learned/top1_k5' in found and 'whole.pth' in capsys.readouterr().out
    record = json.loads((tmp_path / 'r.json').read_text())
    assert record['protocol'] == 'weighted kNN, temperature 0.2, learned similarity'
    cosine = tool.main([config, backbone, '--similarity', 'cosine'])[backbone]
    assert 'knn/top1_k5' in cosine


def test_groups_of_classes_are_those_of_the_config(
    tool: Any, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    config, checkpoint = write(tmp_path, f'{LOOP}test_cfg["cuts"] = (5, 5)\n')
    found = tool.main([config, checkpoint, '--device', 'cpu'])[checkpoint]
    loaders = (toy_loader(ToyImages(n, seed=s, noise=1000)) for n, s in ((30, 0), (12, 1)))
    assert found == knn_evaluate(toy_model(5), *loaders, (1, 5), 0.2, cuts=(5, 5))
    groups = [name for name in found if name.endswith('_k5') and 'top' not in name]
    head, *_, last = capsys.readouterr().out.splitlines()[-3:]
    assert groups and head.split()[4:] == [name[4:-3] for name in groups]
    assert last.split()[4:] == [f'{found[name]:.2f}' for name in groups]
