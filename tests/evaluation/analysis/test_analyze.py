"""One network analyzed: what is measured where, what is missing, and that nothing changes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, default_collate

from mochi_mm.evaluation import extract_features
from mochi_mm.evaluation.analysis import (
    AnalysisSettings,
    analyze,
    load_for_analysis,
    read_analysis,
    view_batches,
    write_analysis,
)
from mochi_mm.evaluation.measures import (
    class_alignment,
    effective_rank,
    lidar,
    pair_alignment,
    singular_values,
    uniformity,
)
from mochi_mm.randomness import SampleKey
from tests.evaluation.analysis.toy import pairs, samples, trained_moco
from tests.evaluation.toy import ToyImages, toy_loader, toy_model
from tests.models.algorithms.toy import build_moco
from tests.toy_runner import NoiseImages

EVERY = AnalysisSettings(alpha=1.0, t=3.0, num_hard=6, num_queries=8, seed=5)


def test_features_are_those_of_the_layers() -> None:
    model = trained_moco()
    found = analyze(model, samples(), pairs(EVERY), EVERY)
    features, labels = extract_features(model, samples())
    model.eval()
    with torch.no_grad():
        layers = dict(backbone=features, neck=model.neck(features))
    for layer, rows in layers.items():
        values = singular_values(rows)
        assert found.scalars[f'alignment/class/{layer}'] == class_alignment(rows, labels, 1.0)
        assert found.scalars[f'uniformity/{layer}'] == uniformity(rows, 3.0)
        assert found.scalars[f'rank/{layer}'] == effective_rank(values)
        np.testing.assert_array_equal(found.arrays[f'singular_values_{layer}'], values.numpy())
    assert found.counts == dict(samples=12, queries=8, memory=16, num_hard=6)
    assert found.arrays['probabilities'].shape == (6,)
    assert found.missing == {}


def test_views_are_keyed_and_aligned_in_evaluation_mode() -> None:
    model = trained_moco()
    loader = pairs(EVERY)
    found = analyze(model, samples(), loader, EVERY)
    chosen = sorted(int(i) for i in loader.dataset.indices)
    assert chosen == [0, 2, 3, 5, 6, 8, 9, 11]  # evenly spaced over twelve images
    dataset, model = NoiseImages(12), model.eval()
    views = [dataset[SampleKey(i, 5, 0)]['inputs'] for i in chosen]
    batch = [torch.stack(view) for view in zip(*views, strict=True)]
    data = model.data_preprocessor(dict(inputs=batch, data_samples={}), False)
    with torch.no_grad():
        first, second = (model.extract_feat(view) for view in data['inputs'])
    wanted = pair_alignment(first, second, 1.0)
    assert found.scalars['alignment/views/backbone'] == pytest.approx(wanted, rel=1e-5)


def test_what_is_taken_only_where_it_is_asked_for() -> None:
    names = ('view_alignment', 'uniformity', 'alignment_uniformity', 'decay', 'lidar')
    settings = AnalysisSettings(names, num_queries=8, seed=5, lidar_images=6, lidar_views=3)
    model, loader = trained_moco(), pairs(settings)
    found = analyze(model, samples(), loader, settings)
    scalars = found.scalars
    for layer in ('backbone', 'neck'):
        total = scalars[f'alignment/views/{layer}'] + scalars[f'uniformity/{layer}']
        assert scalars[f'alignment_uniformity/{layer}'] == total
        assert math.isnan(scalars[f'decay/{layer}'])  # twelve samples have eleven variances
        assert 'variances of the features are above zero' in found.missing[f'decay/{layer}']
    dataset, model = NoiseImages(12), model.eval()
    rows = []
    for batch in list(loader.batch_sampler):  # two passes of two views, three of which are taken
        for i in (loader.dataset.indices[position] for position in batch):
            views = [v for epoch in (0, 1) for v in dataset[SampleKey(int(i), 5, epoch)]['inputs']]
            data = model.data_preprocessor(
                dict(inputs=[v[None] for v in views[:3]], data_samples={}), False
            )
            with torch.no_grad():
                rows.append([model.extract_feat(view)[0] for view in data['inputs']])
    views = torch.stack([torch.stack(row) for row in rows[:6]])
    assert scalars['lidar/backbone'] == pytest.approx(lidar(views), rel=1e-3)
    with torch.no_grad():
        embedded = model.neck(views.flatten(0, 1)).unflatten(0, views.shape[:2])
    assert scalars['lidar/neck'] == pytest.approx(lidar(embedded), rel=1e-3)
    assert found.settings['lidar_views'] == 3 and found.counts['lidar_images'] == 6
    with pytest.raises(ValueError, match='uniformity is not among'):
        AnalysisSettings(('alignment_uniformity', 'view_alignment'))
    with pytest.raises(ValueError, match='lidar_views is 1'):
        AnalysisSettings(lidar_views=1)


def test_nothing_changes_and_it_repeats_itself() -> None:
    model = trained_moco().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    key, flags = model.step_key, [m.training for m in model.modules()]
    drawn = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    first = analyze(model, samples(), pairs(EVERY), EVERY)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert model.step_key is key and [m.training for m in model.modules()] == flags
    assert torch.equal(torch.get_rng_state(), drawn[0])
    assert (np.random.get_state()[1] == drawn[1]).all()  # noqa: NPY002
    torch.manual_seed(99)
    second = analyze(model.eval(), samples(), pairs(EVERY), EVERY)
    assert second.scalars == first.scalars
    other = AnalysisSettings(alpha=1.0, t=3.0, num_hard=6, num_queries=8, seed=6)
    assert analyze(model, samples(), pairs(other), other).scalars != first.scalars


def test_the_memory_is_met_as_in_training() -> None:
    """Batch norms use the batch: the query that a training step makes of these views."""
    model = trained_moco(batch_shuffle='none')
    batch = next(iter(pairs(EVERY)))
    data = model.data_preprocessor(batch, True)
    alike = model.train().head.loss(
        *model.embed_pair(data['inputs']),
        # keys of these very images are in the memory: the step leaves them out too
        data['data_samples'],
    )
    one = AnalysisSettings(num_queries=4, seed=5)
    again = trained_moco(batch_shuffle='none')
    loader = DataLoader(
        pairs(EVERY).dataset, batch_sampler=[list(range(4))], collate_fn=default_collate
    )
    found = analyze(again, samples(), loader, one)
    assert found.scalars['sim_positive'] == pytest.approx(float(alike['sim_positive']), rel=1e-6)


def unlabeled() -> DataLoader:
    return toy_loader(ToyImages(12, unlabeled=list(range(12))))


def test_what_is_not_there_is_named() -> None:
    model = trained_moco(mixing=False)
    found = analyze(model, samples(), pairs(EVERY), EVERY)
    assert found.missing == {'synthetic': 'ContrastiveHead of this config has no mixers'}
    assert 'probabilities_synthetic' not in found.arrays
    one_view = view_batches(ToyImages(12), 8, 0, 4)
    found = analyze(toy_model(), unlabeled(), one_view, EVERY)
    assert set(found.scalars) == {'uniformity/backbone', 'rank/backbone'}
    assert found.missing['neck'] == 'ToyAlgorithm has no neck'
    assert found.missing['class_alignment'].startswith('12 of 12 samples have no label')
    assert 'one view of each image' in found.missing['view_alignment']
    for name in ('accuracy', 'probabilities', 'false_negatives'):
        assert 'no memory' in found.missing[name]


def test_heads_that_compare_more_than_a_query_and_its_key_say_so() -> None:
    queue = dict(type='FeatureQueue', length=16, dim=8)
    centers = dict(
        type='ParametricContrastHead',
        memory=queue,
        num_classes=3,
        in_channels=64,
        class_counts=None,
    )
    finder = dict(type='FalseNegativeFinder', num_support=1)
    support = dict(type='FalseNegativeHead', finder=finder, memory=queue)
    cells = dict(type='DenseContrastiveHead', memory=queue)
    for head, views, why in (
        (cells, (1,), 'DenseContrastiveHead compares cells of feature maps'),
        (centers, (1,), 'ParametricContrastHead has a center of each class among its candidates'),
        (support, (0, 1, 2), 'FalseNegativeHead compares at least 3 views of each image'),
    ):
        neck = dict(type='DenseCLNeck' if head is cells else 'MLPNeck', in_channels=64)
        model = build_moco(head=head, target_views=views, neck=dict(neck, out_channels=8))
        found = analyze(model, samples(), pairs(EVERY), EVERY)
        for name in ('accuracy', 'probabilities', 'false_negatives'):
            assert found.missing[name].startswith(why)
        assert 'alignment/views/neck' in found.scalars and 'sim_positive' not in found.scalars
        with pytest.raises(ValueError, match=f"'accuracy' was asked for, but {why}"):
            asked = AnalysisSettings(measures=('accuracy',), num_queries=8)
            analyze(model, samples(), pairs(asked), asked)


def test_labels_of_another_kind_are_not_compared_with_classes() -> None:
    model = trained_moco()
    model.head.label_key = 'cluster'
    found = analyze(model, samples(), pairs(EVERY), EVERY)
    assert found.missing['false_negatives'].startswith('the labels of the memory are cluster, not')
    assert not [name for name in found.scalars if name.startswith('false')]


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (
            dict(measures=['accuracy']),
            "measure 'accuracy' was asked for, but ToyAlgorithm has no head",
        ),
        (dict(measures=['view_alignment']), 'one view of each image'),
        (dict(layers=['neck']), "layer 'neck' was asked for, but ToyAlgorithm has no neck"),
        (dict(measures=['class_alignment']), 'samples have no label'),
    ],
)
def test_asked_for_and_not_possible_is_an_error(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        analyze(
            toy_model(),
            unlabeled(),
            view_batches(ToyImages(4), 4, 0, 4),
            AnalysisSettings(**settings),
        )


def test_impossible_numbers() -> None:
    with pytest.raises(ValueError, match='num_hard is 17 but the memory holds 16 keys'):
        many = AnalysisSettings(num_hard=17, num_queries=4)
        analyze(trained_moco(), samples(), pairs(many), many)
    single = DataLoader(
        NoiseImages(4, pipeline=samples().dataset.pipeline.transforms),
        4,
        collate_fn=default_collate,
    )
    asked = AnalysisSettings(measures=['class_alignment'])
    with pytest.raises(ValueError, match='the class 1 has one image'):
        analyze(trained_moco(), single, pairs(asked), asked)
    for wrong, message in (
        (dict(measures=['speed']), r"measures is \['speed'\]; expected some of class_alignment"),
        (dict(layers=[]), 'layers is'),
        (dict(alpha=0), 'alpha is 0'),
        (dict(num_queries=0), 'num_queries is 0'),
    ):
        with pytest.raises(ValueError, match=message):
            AnalysisSettings(**wrong)


def save(path: Path, model: Any, keep: tuple[str, ...] = ('',)) -> Path:
    weights = {n: v for n, v in model.state_dict().items() if n.startswith(keep)}
    torch.save(dict(state_dict=weights, meta=dict(epoch=3, iter=12)), path)
    return path


def test_a_whole_checkpoint(tmp_path: Path) -> None:
    trained = trained_moco()
    model = build_moco(seed=9)
    report, absent = load_for_analysis(model, save(tmp_path / 'epoch_3.pth', trained))
    count = len(trained.backbone.state_dict())
    assert absent == {} and f'{count} of {count} weights matched' in report
    for name, value in trained.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name


def test_a_backbone_alone_has_no_memory(tmp_path: Path) -> None:
    model = build_moco(seed=9)
    path = save(tmp_path / 'backbone.pth', trained_moco(), ('backbone.',))
    _, absent = load_for_analysis(model, path)
    assert set(absent) == {'neck', 'accuracy', 'probabilities', 'false_negatives'}
    assert 'holds no memory' in absent['accuracy']
    found = analyze(model, samples(), pairs(EVERY), EVERY, absent)
    assert set(found.scalars) == {
        f'{name}/backbone' for name in ('alignment/class', 'alignment/views', 'uniformity', 'rank')
    }
    with pytest.raises(ValueError, match="'probabilities' was asked for, but .* holds no memory"):
        asked = AnalysisSettings(measures=['probabilities'])
        analyze(model, samples(), pairs(asked), asked, absent)
    torn = save(
        tmp_path / 'torn.pth', trained_moco(), ('backbone.', 'neck.', 'head.memory.features')
    )
    with pytest.raises(
        ValueError,
        match=r'does not cover head\.\*: 4 of 5 weights are missing, first head\.memory\.labels',
    ):
        load_for_analysis(model, torn)


def test_records_go_to_the_disk_and_back(tmp_path: Path, monkeypatch: Any) -> None:
    found = analyze(trained_moco(), samples(), pairs(EVERY), EVERY)
    found.scalars['false_negatives/hardest'] = float('nan')
    record = found.record(epoch=3)
    path = write_analysis(tmp_path / 'a', 'epoch_3', record, found.arrays, dict(map=b'png'))
    again, arrays = read_analysis(path)
    assert np.isnan(again['scalars'].pop('false_negatives/hardest'))
    assert again['scalars'] == {n: v for n, v in found.scalars.items() if v == v}
    assert (again['epoch'], again['counts'], again['settings']) == (3, found.counts, EVERY.record())
    for name, values in found.arrays.items():
        np.testing.assert_array_equal(arrays[name], values)
    assert (tmp_path / 'a/epoch_3_map.png').read_bytes() == b'png'
    (tmp_path / 'a/epoch_33_map.png').write_bytes(b'of another')
    write_analysis(tmp_path / 'a', 'epoch_3', record, found.arrays, dict(other=b'png'))
    pictures = sorted(p.name for p in (tmp_path / 'a').glob('*.png'))
    assert pictures == ['epoch_33_map.png', 'epoch_3_other.png']

    def full(path: Path, write: Any) -> None:
        if path.suffix == '.json':
            raise OSError('disk full')
        path.write_bytes(b'')

    monkeypatch.setattr('mochi_mm.evaluation.analysis.records.write_atomically', full)
    with pytest.raises(OSError, match='disk full'):
        write_analysis(tmp_path / 'b', 'epoch_3', record, found.arrays, dict(map=b'png'))
    assert list((tmp_path / 'b').iterdir()) == []


def test_records_that_are_none(tmp_path: Path) -> None:
    (tmp_path / 'x.json').write_text('{"format": 7}')
    with pytest.raises(FileNotFoundError, match='no .*x.npz'):
        read_analysis(tmp_path / 'x.json')
    np.savez(tmp_path / 'x.npz', a=np.zeros(1))
    with pytest.raises(ValueError, match='no analysis of format 1'):
        read_analysis(tmp_path / 'x.json')
