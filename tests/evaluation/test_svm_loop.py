"""SVMs as a test loop, on generated scenes in VOC layout, through the config that ships."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.svm import LinearSVC

from mochi_mm.datasets.shape_scenes import KINDS, ShapeScenes
from mochi_mm.datasets.shapes.export import export_voc
from mochi_mm.evaluation.average_precision import average_precision
from mochi_mm.evaluation.features import extract_features
from mochi_mm.launch.config import load_config
from mochi_mm.launch.runner import build_runner
from tests.toy_runner import REPOSITORY

CONFIGS = REPOSITORY / 'configs/benchmarks/svm'


@pytest.fixture(scope='module')
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp('voc')
    export_voc(ShapeScenes(num_scenes=60, split='train', image_size=32, mixed=True), root)
    export_voc(ShapeScenes(num_scenes=40, split='val', image_size=32, mixed=True), root)
    return root


def runner_of(name: str, root: Path, folder: Path, **options: Any) -> Any:
    config = load_config(CONFIGS / f'{name}.py', {'data_root': str(root), **options})
    config.work_dir, config.experiment_name = str(folder), f'{name}_{folder.name}'
    torch.manual_seed(0)
    runner = build_runner(config)
    runner.model.init_weights()
    return runner


def arrays(runner: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    sets = []
    for loader in (runner.test_loop.train_dataloader, runner.test_loop.dataloader):
        features = extract_features(runner.model, loader)[0].double().numpy()
        features /= np.linalg.norm(features, axis=1)[:, None]
        sets.append((features, loader.dataset.targets))
    return sets


def test_mean_average_precision(scenes: Path, tmp_path: Path) -> None:
    runner = runner_of('svm_resnet10w025_shapes', scenes, tmp_path, **{'test_cfg.costs': [1.0]})
    metrics = runner.test()
    (x, y), (x_test, y_test) = arrays(runner)
    values = []
    for column in range(10):
        weights = np.where(y[:, column] == 1, 2.0, 1.0)
        svm = LinearSVC(C=1.0, max_iter=20000, random_state=0).fit(x, y[:, column], weights)
        scores = svm.decision_function(x_test)
        values.append(100 * average_precision(scores, y_test[:, column] == 1))
    assert metrics['svm/mAP'] == pytest.approx(np.mean(values), abs=0.5)  # float32, tolerance
    assert len(metrics) == 11 and metrics['svm/disc'] == pytest.approx(values[0], abs=2)


def test_low_shot(scenes: Path, tmp_path: Path) -> None:
    options = {'test_cfg.shots': [1, 3], 'test_cfg.samples': 2}
    first = runner_of('lowshot_resnet10w025_shapes', scenes, tmp_path / 'a', **options).test()
    again = runner_of('lowshot_resnet10w025_shapes', scenes, tmp_path / 'b', **options).test()
    assert set(first) == {f'svm/mAP_k{k}{end}' for k in (1, 3) for end in ('', '_std')}
    assert first == again
    other = runner_of(
        'lowshot_resnet10w025_shapes', scenes, tmp_path / 'c', **options, **{'test_cfg.seed': 1}
    )
    assert other.test() != first


def test_mistakes(scenes: Path, tmp_path: Path) -> None:
    for number, (options, message) in enumerate(
        [
            ({'test_cfg.method': 'auc'}, "method='auc'"),
            ({'test_cfg.costs': []}, 'positive numbers'),
            ({'test_cfg.folds': 1}, 'at least two folds'),
            ({'test_evaluator': [dict(type='TopKAccuracy')]}, 'computes its metrics itself'),
            ({'test_cfg.folds': 30}, '30 folds needs as many'),
            ({'test_cfg.train_dataloader.dataset.classes': [*reversed(KINDS)]}, 'label 0 is'),
        ]
    ):
        runner = runner_of('svm_resnet10w025_shapes', scenes, tmp_path / str(number), **options)
        with pytest.raises(ValueError, match=message):
            runner.test()


@pytest.mark.parametrize('name', ['svm_resnet10w025_shapes', 'lowshot_resnet10w025_shapes'])
def test_weights_of_other_images_are_refused(scenes: Path, tmp_path: Path, name: str) -> None:
    """As kNN and probes do (tests/launch/test_recorded_images.py)."""
    runner = runner_of(name, scenes, tmp_path / 'run')
    record = dict(mean=[1.0, 2.0, 3.0], std=[4.0, 5.0, 6.0], channel_order='bgr', backbone={})
    content = dict(state_dict=runner.model.state_dict(), meta=dict(mochi_mm=record))
    torch.save(content, tmp_path / 'weights.pth')
    said = r'weights\.pth.*trained on bgr, the config feeds rgb.*trained with 1 2 3.*with 4 5 6'
    with pytest.raises(ValueError, match=said):
        runner.test_from(str(tmp_path / 'weights.pth'))
