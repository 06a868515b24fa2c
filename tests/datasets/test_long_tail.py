"""A long-tailed part of a data set: counts, facts, keys, pipelines; the tool's list is the same."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from mochi_mm.datasets import ConcatDataset, ImageFolder, InMemory, LongTail, RepeatDataset
from mochi_mm.datasets.facts import facts_of
from mochi_mm.randomness import SampleKey
from mochi_mm.registry import DATASETS
from tests.toy_runner import REPOSITORY

VIEWS = [
    dict(type='MultiView', transforms=[[dict(type='RandomResizedCrop', size=8)]], num_views=[2]),
    dict(type='PackInputs'),
]


class Labeled(ImageFolder):
    """A data set of labels without images."""

    def __init__(self, labels: Any, names: int = 0) -> None:
        super(ImageFolder, self).__init__()
        self.labels, self.classes = np.asarray(labels), tuple(map(str, range(names)))

    def fingerprint(self) -> str:
        return 'labels'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name, count in dict(a=9, b=8, c=8).items():
        (tmp_path / name).mkdir()
        for i in range(count):
            pixels = rng.integers(0, 256, (12, 10, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f'{i}.png')
    return tmp_path


def tail(root: Path, factor: float = 0.25, **settings: Any) -> LongTail:
    inner = dict(type='ImageFolder', data_root=str(root))
    return DATASETS.build(dict(type='LongTail', dataset=inner, factor=factor, **settings))


def test_cifar_10_and_100() -> None:
    ten = LongTail(Labeled(np.tile(np.arange(10), 5000), 10), 0.01)
    assert len(ten) == 12406 and np.bincount(ten.labels)[[0, 9]].tolist() == [5000, 50]
    hundred = LongTail(Labeled(np.repeat(np.arange(100), 500)), 0.01)
    assert len(hundred) == 10847 and facts_of(hundred).class_counts[[0, 99]].tolist() == [500, 5]


def test_it_is_a_part_of_the_data_set(root: Path) -> None:
    dataset, alone = tail(root, pipeline=VIEWS), ImageFolder(root, pipeline=VIEWS)
    assert np.bincount(dataset.labels).tolist() == [8, 4, 2]
    assert dataset.metainfo == alone.metainfo == dict(classes=['a', 'b', 'c'])
    assert dataset.num_images == len(dataset) == 14 and (np.diff(dataset.rows) > 0).all()
    for index, row in enumerate(dataset.rows.tolist()):
        assert np.array_equal(dataset.image(index), alone.image(row))
        sample = dataset[SampleKey(index, 2, 5)]
        wanted = alone[SampleKey(row, 2, 5, drawn=index)]
        assert all(map(torch.equal, sample['inputs'], wanted['inputs']))
        assert sample['data_samples'] == dict(gt_label=alone.labels[row], sample_idx=index)
    facts = facts_of(dataset)
    assert facts.class_counts.tolist() == [8, 4, 2] and facts.num_images == 14
    assert list(facts.classes) == ['a', 'b', 'c'] and bool(facts.labeled.all())


def test_fingerprints_differ_with_the_choice(root: Path) -> None:
    marks = {tail(root, *s).fingerprint() for s in [(0.25,), (0.5,)]}
    marks.add(tail(root, seed=1).fingerprint())
    assert len(marks) == 3 and tail(root).fingerprint() in marks
    (root / 'a/0.png').unlink()
    assert tail(root).fingerprint() not in marks


def test_the_list_of_the_tool_is_the_same(root: Path, tmp_path: Path, capsys: Any) -> None:
    tool = runpy.run_path(str(REPOSITORY / 'tools/dataset/make_long_tail.py'))
    out = tmp_path / 'tail.txt'
    tool['main']([str(root), '--factor', '0.25', '--seed', '3', '--out', str(out)])
    assert '14 of 25 images of 3 classes, 8 of a to 2 of c, seed 3' in capsys.readouterr().out
    listed, dataset = ImageFolder(root, include=out), tail(root, seed=3)
    source = ImageFolder(root)
    assert [listed.path(i) for i in range(14)] == [source.path(int(row)) for row in dataset.rows]
    assert np.array_equal(listed.labels, dataset.labels) and listed.classes == dataset.classes
    with pytest.raises(FileNotFoundError, match='no folder'):
        tool['main']([str(root / 'none'), '--factor', '0.25', '--out', str(out)])


def test_within_others_and_around_others(root: Path) -> None:
    inner = tail(root)
    held = InMemory(inner)
    assert np.array_equal(held.image(5), inner.image(5))
    around = LongTail(InMemory(ImageFolder(root)), 0.25)
    assert np.array_equal(around.image(5), inner.image(5))
    assert RepeatDataset(inner, 2).num_images == 14
    assert len(ConcatDataset([tail(root), tail(root)])) == 28
    with pytest.raises(ValueError, match=r'50 samples of 25 images; .* around LongTail'):
        LongTail(RepeatDataset(ImageFolder(root), 2), 0.25)


def test_the_pipeline_within(root: Path) -> None:
    inner = dict(type='ImageFolder', data_root=str(root), pipeline=VIEWS)
    sample = LongTail(inner, 0.25)[4]
    assert all(map(torch.equal, sample['inputs'], tail(root, pipeline=VIEWS)[4]['inputs']))
    with pytest.raises(ValueError, match='LongTail has a pipeline and data set 0 within it'):
        LongTail(inner, 0.25, pipeline=VIEWS)


def test_targets(root: Path) -> None:
    part = ImageFolder(root)
    part.targets = np.arange(50).reshape(25, 2)
    assert np.array_equal(LongTail(part, 0.25).targets[:, 0], 2 * tail(root).rows)


def test_what_is_refused(root: Path) -> None:
    with pytest.raises(ValueError, match=r'class 2 has 0 of the 4 images; .* of 4 classes'):
        LongTail(Labeled([0, 1, 3, 3], 4), 0.5)
    with pytest.raises(ValueError, match='2 of 4 images have labels such as -1'):
        LongTail(Labeled([0, 1, -1, -1]), 0.5)
    with pytest.raises(ValueError, match=r'factor of LongTail is 2'):
        tail(root, factor=2)
    with pytest.raises(ValueError, match=r'8 images .* 0\.1 leave 0\.8 .* last of 3 classes'):
        tail(root, factor=0.1)
