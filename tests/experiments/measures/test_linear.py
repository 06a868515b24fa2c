"""The linear probes are that of the evaluation, on all images, on a few, on another data set."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
import torch
from PIL import Image

from mochi_mm.evaluation.linear_classifier import L2_GRID, choose_l2, fit_linear
from mochi_mm.experiments.measures import FastLinear, FewShot, LinearTransfer
from mochi_mm.experiments.measures.few_shot import few_of_each
from tests.evaluation.toy import loader_config
from tests.experiments.measures.toy import toy_subject

FOLDER = dict(
    batch_size=7,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
)


def test_all_images(tmp_path: Path) -> None:
    subject = toy_subject(tmp_path)
    x, y = subject.features('bank_dataloader')
    l2, _ = choose_l2(x, y, L2_GRID)
    expected = fit_linear(x, y, l2).accuracy(*subject.features('query_dataloader'))['top1']
    assert FastLinear()(subject) == {'fast_linear/top1': expected, 'fast_linear/l2': l2}
    other = fit_linear(x, y, l2).accuracy(*subject.features('other_dataloader'))['top1']
    found = FastLinear('other_dataloader', 'other')(subject)
    assert found == {'fast_linear/top1 other': other, 'fast_linear/l2 other': l2}


def test_a_few_of_each() -> None:
    labels = torch.arange(40) % 4
    rows = few_of_each(labels, 3, 0)
    assert len(set(rows.tolist())) == 12 and labels[rows].bincount().tolist() == [3] * 4
    assert torch.equal(rows, few_of_each(labels, 3, 0))
    assert not torch.equal(rows, few_of_each(labels, 3, 1))
    with pytest.raises(ValueError, match='class 0 has 10 labeled images, 11 of each'):
        few_of_each(labels, 11, 0)


def test_a_few_is_a_mean_over_draws(tmp_path: Path) -> None:
    subject = toy_subject(tmp_path, bank_dataloader=loader_config(size=60, noise=200))
    x, y = subject.features('bank_dataloader')
    found = []
    for draw in range(2):
        rows = few_of_each(y, 5, draw)
        l2, _ = choose_l2(x[rows], y[rows], L2_GRID)
        probe = fit_linear(x[rows], y[rows], l2, 6)
        found.append(probe.accuracy(*subject.features('query_dataloader'))['top1'])
    assert FewShot(5, draws=2)(subject) == {'few_shot/top1_n5': fmean(found)}


def test_another_data_set(tmp_path: Path) -> None:
    """Its classes, however many, are not those of the run; a list of the run's images is left."""
    for split, count in (('train', 10), ('val', 4)):
        for kind, gray in (('dark', 30), ('light', 200)):
            folder = tmp_path / 'birds' / split / kind
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = np.full((8, 8, 3), gray + number, np.uint8)
                Image.fromarray(pixels).save(folder / f'{number}.png')
    pipeline = [dict(type='PackInputs')]
    own = dict(type='ImageFolder', data_root='elsewhere', include='list.txt', pipeline=pipeline)
    loaders = {
        f'{name}_dataloader': dict(FOLDER, dataset=dict(own, split='train'))
        for name in ('bank', 'query')
    }
    subject = toy_subject(tmp_path, **loaders)
    before = subject.config.to_dict()
    assert LinearTransfer('birds')(subject) == {'transfer/birds': 100.0}
    assert subject.config.to_dict() == before
    assert LinearTransfer('birds').data() == ('birds',)
    with pytest.raises(ValueError, match='bank_dataloader of .* reads no folder of images'):
        LinearTransfer('birds')(toy_subject(tmp_path))
