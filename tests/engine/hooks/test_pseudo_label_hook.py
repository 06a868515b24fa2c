"""Clustering while training runs: when, what is logged, resumes, ranks, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from mmengine.dataset import default_collate
from torch.utils.data import DataLoader

from mochi_mm.datasets.keyed_sampler import KeyedSampler
from mochi_mm.engine.hooks import PseudoLabelHook, pseudo_label_hook
from mochi_mm.evaluation.features import extract_features
from mochi_mm.evaluation.k_means import k_means
from mochi_mm.launch.runner import build_runner
from mochi_mm.models.functional.clusters import nearest_centroids
from mochi_mm.models.functional.unit_rows import unit_rows
from tests.engine.test_resume import assert_same_run
from tests.models.algorithms.toy import build_moco, moco_config
from tests.models.heads.test_inter_cluster_head import check_ranks, inter_steps
from tests.models.heads.toy import memory
from tests.ranks import run_ranks
from tests.toy_runner import NoiseImages, runner_config, train

LABELS = dict(type='PseudoLabels', length=16, num_clusters=[2, 5], largest=1.0)
HEAD = dict(
    type='PseudoLabelHead',
    pseudo_labels=LABELS,
    memory=dict(type='FeatureQueue', length=16, dim=8),
)

INTER = dict(
    type='InterClusterHead',
    memory=dict(type='FeatureQueue', length=16, dim=8),
    bank=dict(type='ClusterBank', length=16, num_clusters=2, dim=8),
    start_epoch=1,
)


def label_loader(**changes: Any) -> dict[str, Any]:
    dataset = dict(type='NoiseImages', pipeline=[dict(type='PackInputs')])
    return dict(
        batch_size=4,
        num_workers=0,
        sampler=dict(type='KeyedSampler', shuffle=False),
        collate_fn=dict(type='default_collate'),
        dataset={**dataset, **changes},
    )


def config_of(folder: Path, epochs: int = 3, head: Any = None, **hook: Any) -> Any:
    """Four steps an epoch; labels from the second on."""
    model = moco_config(head=head or HEAD, batch_shuffle='none')
    config = runner_config(folder, max_epochs=epochs, log_level='WARNING')
    config.model = model
    settings = dict(type='PseudoLabelHook', label_dataloader=label_loader())
    config.custom_hooks = [{**settings, **hook}]
    return config


@pytest.fixture(scope='module')
def straight(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A run of three epochs, and its model."""
    folder = tmp_path_factory.mktemp('straight')
    return folder, train(config_of(folder)).model


def lines(folder: Path) -> list[dict[str, Any]]:
    (path,) = folder.glob('*/vis_data/2*.json')
    return [json.loads(line) for line in path.read_text().splitlines() if 'pseudo/' in line]


def test_labels_are_those_of_the_features_at_the_start_of_the_epoch(
    straight: tuple[Path, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the last epoch: the network of the epoch before, its clusters, all of them accepted."""
    _, model = straight
    seen: list[tuple[torch.Tensor, int, int]] = []

    def watched(rows: torch.Tensor, k: int, seed: int, *settings: Any) -> torch.Tensor:
        seen.append((rows, k, seed))
        return k_means(rows, k, seed, *settings)

    monkeypatch.setattr(pseudo_label_hook, 'k_means', watched)
    again = config_of(tmp_path / 'again')
    again.load_from = None
    other = train(again).model
    assert [k for _, k, _ in seen] == [2, 5] * 2 and len({seed for *_, seed in seen}) == 4
    tables = other.head.pseudo_labels
    for number, (rows, k, seed) in enumerate(seen[2:]):
        labels, confidence = nearest_centroids(rows, k_means(rows, k, seed))
        assert torch.equal(tables.clusters()[number], labels)
        assert torch.equal(tables.tables[number].confidence, confidence)
        assert torch.equal(tables.accepted()[number], labels)
    for name, value in model.state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name


def test_what_is_logged(straight: tuple[Path, Any]) -> None:
    logged = lines(straight[0])
    assert [line['epoch'] for line in logged] == [1, 2] and [x['step'] for x in logged] == [4, 8]
    assert logged[0]['pseudo/accepted_k5'] == 0 and logged[1]['pseudo/accepted_k5'] == 1
    assert 'pseudo/changed' not in logged[0] and 0 <= logged[1]['pseudo/changed_k2'] <= 1
    assert 'pseudo/precision' not in logged[0]  # no pair to be right or wrong about
    means = [logged[1][f'pseudo/recall_k{k}'] for k in (2, 5)]
    assert logged[1]['pseudo/recall'] == pytest.approx(sum(means) / 2)
    assert {'pseudo/empty_k5', 'pseudo/largest_k2', 'pseudo/time_clustering'} <= set(logged[1])


@pytest.mark.parametrize('calls', [1, 3])
def test_a_run_that_is_killed_inside_a_clustering_goes_on_to_the_bit(
    straight: tuple[Path, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    """In the first clustering, and between the two granularities of the second."""
    left = [calls]

    def killed(*arguments: Any) -> torch.Tensor:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return k_means(*arguments)

    with monkeypatch.context() as patch, pytest.raises((KeyboardInterrupt, SystemExit)):
        patch.setattr(pseudo_label_hook, 'k_means', killed)
        train(config_of(tmp_path))
    config = config_of(tmp_path)
    config.resume, config.experiment_name = True, f'{config.experiment_name}_on_{calls}'
    train(config)
    assert_same_run(straight[0], tmp_path)


def test_a_run_that_is_killed_between_clusterings_goes_on_to_the_bit(
    straight: tuple[Path, Any], tmp_path: Path
) -> None:
    """In the middle of an epoch, whose labels were made of weights that are no more."""
    first = config_of(tmp_path)
    first.custom_hooks.append(dict(type='SignalHook', at=5))
    with pytest.raises(SystemExit):
        train(first)
    second = config_of(tmp_path)
    second.resume, second.experiment_name = True, f'{second.experiment_name}_on'
    train(second)
    assert_same_run(straight[0], tmp_path)


def clustered(rank: int) -> dict[str, torch.Tensor]:
    """The labels that this rank holds after a clustering of 18 images, an odd number of batches."""
    torch.set_num_threads(1)
    dataset = NoiseImages(18, pipeline=[dict(type='PackInputs')])
    sampler = KeyedSampler(dataset, shuffle=False)
    loader = DataLoader(dataset, 4, sampler=sampler, collate_fn=default_collate)
    head = dict(HEAD, pseudo_labels=dict(LABELS, length=18))
    model = build_moco(head=head, batch_shuffle='none')
    hook = PseudoLabelHook(loader)
    hook.takers = [model.head.pseudo_labels]
    hook.cluster(SimpleNamespace(model=model, seed=0, iter=0))
    assert model.training
    hook.takers[0].accept(0.5)
    return dict(model.head.pseudo_labels.state_dict())


SPLITS = [[3, 1], [2, 4]]


def on_a_rank(rank: int, queue: dict[str, Any]) -> dict[str, Any]:
    """Two things in one launch: a clustering, and steps with a bank of clusters."""
    return dict(labels=clustered(rank), inter=inter_steps(rank, SPLITS, queue))


def test_two_ranks_share_the_work_and_hold_what_one_process_holds() -> None:
    ranks = run_ranks(on_a_rank, 2, dict(memory().state_dict()))
    check_ranks([rank['inter'] for rank in ranks], SPLITS)
    first, second = (rank['labels'] for rank in ranks)
    for name, value in clustered(0).items():
        torch.testing.assert_close(first[name], value, msg=name)
        assert torch.equal(first[name], second[name]), name


def test_once_alone_and_the_trained_encoder(tmp_path: Path) -> None:
    """Before the first step, backbone features; accepted shares go on without a clustering."""
    hook = dict(start_epoch=0, interval=None, encoder='online', tap='backbone', shares=(0.25, 1.0))
    runner = train(config_of(tmp_path, 2, **hook))
    logged = lines(tmp_path)
    assert [line['pseudo/accepted'] for line in logged] == [0.25, 1.0]
    assert 'pseudo/time_clustering' in logged[0]
    assert 'pseudo/time_clustering' not in logged[1]
    plain = config_of(tmp_path / 'plain', 1, **hook)
    plain.train_dataloader.dataset.pipeline = [dict(type='PackInputs')]
    fresh = build_runner(plain)
    rows, _ = extract_features(fresh.model, fresh.build_dataloader(label_loader()))
    clusters = runner.model.head.pseudo_labels.clusters()[0]
    centroids = torch.stack([unit_rows(rows)[clusters == c].mean(0) for c in range(2)])
    nearest, _ = nearest_centroids(unit_rows(rows), unit_rows(centroids))
    assert float((nearest == clusters).float().mean()) > 0.8


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(start_epoch=3), 'never accepts'),
        (dict(label_dataloader=label_loader(size=15)), 'has 15 images'),
        (dict(head=moco_config(mixing=False)['head']), 'no part of the model that takes clusters'),
        (dict(encoder='other'), 'no encoder'),
        (dict(head=INTER, shares=(0.0, 1.0)), 'no part .* accepts a share of them .*leave both'),
        (dict(head=INTER, end_epoch=2), 'shares or an end_epoch'),
        (dict(head=dict(HEAD, pseudo_labels=dict(LABELS, length=20))), 'has 20 rows but .* 16'),
    ],
)
def test_mistakes_show_before_the_first_step(
    tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises((ValueError, KeyError), match=message):
        train(config_of(tmp_path, **settings))
    assert not list(tmp_path.glob('*.pth'))


def test_embeddings_that_are_not_finite_stop_the_run(tmp_path: Path) -> None:
    runner = build_runner(config_of(tmp_path, start_epoch=0))
    with torch.no_grad():
        runner.model.key_encoder['backbone'].conv1.weight.fill_(float('nan'))
    runner.model.init_weights = lambda: None
    with pytest.raises(FloatingPointError, match='cannot be clustered'):
        runner.train()
