"""Several folders as one data set: samples, keys, numbers, labels, and what is refused."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from PIL import Image
from torch.utils.data import DataLoader

from mochi_mm.datasets import ConcatDataset, ImageFolder, InMemory, KeyedSampler
from mochi_mm.engine.hooks import DataFaultHook
from mochi_mm.launch.check_config import check_config
from mochi_mm.randomness import SampleKey
from mochi_mm.registry import DATASETS
from tests.toy_runner import TWO_VIEWS, runner_config, train

VIEWS: list[dict[str, Any]] = [
    dict(
        type='MultiView',
        transforms=[[dict(type='RandomResizedCrop', size=8), dict(type='RandomFlip')]],
        num_views=[2],
    ),
    dict(type='PackInputs'),
]


def fill(root: Path, *names: str) -> Path:
    rng = np.random.default_rng([ord(letter) for letter in root.name])
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (12, 10, 3), dtype=np.uint8)).save(root / name)
    return root


@pytest.fixture
def roots(tmp_path: Path) -> list[Path]:
    """Three folders of two classes, of 3, 2 and 1 images a class."""
    return [
        fill(tmp_path / f'r{n}', *(f'{kind}/{i}.png' for kind in 'ab' for i in range(n)))
        for n in (3, 2, 1)
    ]


def folder(root: Path, **settings: Any) -> dict[str, Any]:
    return dict(type='ImageFolder', data_root=str(root), **settings)


def whole(roots: list[Path]) -> ConcatDataset:
    return DATASETS.build(
        dict(type='ConcatDataset', datasets=[folder(r) for r in roots], pipeline=VIEWS)
    )


def test_the_same_images_twice_are_refused(roots: list[Path]) -> None:
    """Each would be a negative of itself; a copied line of a config does it."""
    once, again = folder(roots[0]), folder(Path(f'{roots[0]}/../{roots[0].name}'))
    said = r'datasets\[0\] and datasets\[2\] .* hold the same images.*RepeatDataset'
    with pytest.raises(ValueError, match=said):
        DATASETS.build(dict(type='ConcatDataset', datasets=[once, folder(roots[1]), again]))


def test_every_sample_of_every_part(roots: list[Path]) -> None:
    dataset = whole(roots)
    alone = [ImageFolder(root) for root in roots]
    places = [(part, i) for part in alone for i in range(len(part))]
    assert len(dataset) == len(places) == 12 == dataset.num_images
    for index, (part, inner) in enumerate(places):
        assert np.array_equal(dataset.image(index), part.image(inner))
        assert (
            dataset.labels[index]
            == part.labels[inner]
            == dataset[index]['data_samples']['gt_label']
        )
    assert dataset.metainfo == dict(classes=['a', 'b']) and dataset.classes == ('a', 'b')


def test_numbers_of_samples_are_their_own(roots: list[Path]) -> None:
    dataset = whole(roots)
    found = [dataset[i]['data_samples']['sample_idx'] for i in range(len(dataset))]
    assert found == list(range(12))


def test_draws_depend_on_the_key_in_the_whole(roots: list[Path]) -> None:
    """What a sample draws is keyed by (seed, epoch, index of the whole), in any part."""
    dataset = whole(roots)
    for index in (0, 5, 6, 9, 10, 11):
        part = next(k for k, end in enumerate((6, 10, 12)) if index < end)
        inner = index - (0, 6, 10)[part]
        alone = ImageFolder(roots[part], pipeline=VIEWS)
        wanted = alone[SampleKey(inner, seed=3, epoch=2, drawn=index)]
        sample = dataset[SampleKey(index, seed=3, epoch=2)]
        assert all(map(torch.equal, sample['inputs'], wanted['inputs']))
        other = dataset[SampleKey(index, seed=3, epoch=3)]
        assert not all(map(torch.equal, sample['inputs'], other['inputs']))


def test_a_loader_gives_the_same_for_any_number_of_workers(roots: list[Path]) -> None:
    dataset = whole(roots)

    def batches(workers: int) -> list[Any]:
        sampler = KeyedSampler(dataset, seed=1)
        return list(DataLoader(dataset, 4, sampler=sampler, num_workers=workers))

    for one, other in zip(batches(0), batches(2), strict=True):
        assert all(map(torch.equal, one['inputs'], other['inputs']))
        assert torch.equal(one['data_samples']['sample_idx'], other['data_samples']['sample_idx'])


def test_pipelines_of_the_parts(roots: list[Path]) -> None:
    small = [dict(type='Resize', size=6), dict(type='PackInputs')]
    large = [dict(type='Resize', size=9), dict(type='PackInputs')]
    dataset = ConcatDataset([folder(roots[0], pipeline=small), folder(roots[1], pipeline=large)])
    sides = [min(dataset[i]['inputs'][0].shape[1:]) for i in (0, 5, 6, 9)]
    assert sides == [6, 6, 9, 9]
    assert dataset[7]['data_samples']['sample_idx'] == 7


def test_a_transform_that_decodes_gets_the_path(roots: list[Path]) -> None:
    crop = [[dict(type='RandomResizedCrop', size=8)]]
    fast = [dict(type='FastMultiView', transforms=crop, num_views=[2]), dict(type='PackInputs')]
    dataset = ConcatDataset([folder(root) for root in roots], pipeline=fast)
    assert Path(dataset.sample(11)['source'].name) == roots[2] / 'b/0.png'
    assert dataset[11]['data_samples']['sample_idx'] == 11


def test_concatenations_within_each_other(roots: list[Path]) -> None:
    inner = dict(type='ConcatDataset', datasets=[folder(roots[1]), folder(roots[2])])
    nested = ConcatDataset([folder(roots[0]), inner], pipeline=VIEWS)
    flat = whole(roots)
    for index in range(12):
        one, other = nested[SampleKey(index, 1, 4)], flat[SampleKey(index, 1, 4)]
        assert all(map(torch.equal, one['inputs'], other['inputs']))
        assert one['data_samples'] == other['data_samples']


def test_repeated_parts_share_the_number_of_an_image(roots: list[Path]) -> None:
    twice = dict(type='RepeatDataset', dataset=folder(roots[1]), times=2)
    dataset = ConcatDataset([twice, folder(roots[2])], pipeline=VIEWS)
    found = [dataset[i]['data_samples']['sample_idx'] for i in range(len(dataset))]
    assert found == [0, 1, 2, 3, 0, 1, 2, 3, 4, 5]
    assert dataset.num_images == 6


def test_images_without_labels_beside_classes(roots: list[Path], tmp_path: Path) -> None:
    loose = fill(tmp_path / 'loose', '1.png', '2.png')
    dataset = ConcatDataset([folder(loose), folder(roots[2])], pipeline=VIEWS)
    assert dataset.classes == ('a', 'b')
    assert dataset.labels.tolist() == [-1, -1, 0, 1]


def test_in_memory_holds_a_concatenation(roots: list[Path]) -> None:
    plain = dict(type='ConcatDataset', datasets=[folder(r) for r in roots])
    held = InMemory(plain, pipeline=VIEWS)
    one, other = held[SampleKey(9, 1, 1)], whole(roots)[SampleKey(9, 1, 1)]
    assert all(map(torch.equal, one['inputs'], other['inputs']))
    with pytest.raises(ValueError, match='the data set within InMemory has a pipeline'):
        InMemory(dict(plain, datasets=[folder(r, pipeline=VIEWS) for r in roots]))


def test_the_fingerprint_follows_parts_and_order(roots: list[Path]) -> None:
    first = whole(roots).fingerprint()
    assert whole(roots).fingerprint() == first
    assert whole(roots[::-1]).fingerprint() != first
    fill(roots[1], 'a/9.png')
    assert whole(roots).fingerprint() != first


def test_targets_are_those_of_the_parts(roots: list[Path]) -> None:
    parts = [ImageFolder(root) for root in roots[1:]]
    for i, part in enumerate(parts):
        part.targets = np.full((len(part), 3), i)
    assert ConcatDataset(parts).targets.tolist() == [[0] * 3] * 4 + [[1] * 3] * 2
    assert not hasattr(whole(roots), 'targets')


def test_an_unreadable_image_is_replaced_out_of_the_whole(roots: list[Path]) -> None:
    (roots[1] / 'a/0.png').write_text('no image')
    dataset = whole(roots)
    hook = DataFaultHook(max_share=0.5)
    hook.before_train(
        SimpleNamespace(
            train_dataloader=SimpleNamespace(dataset=dataset),
            message_hub=SimpleNamespace(runtime_info={}),
        )
    )
    sample = dataset[SampleKey(6, 1, 1)]
    assert sample['data_samples']['sample_idx'] != 6
    assert dataset.faults is not None and dataset.faults.new() == [6]


def test_classes_must_be_the_same(roots: list[Path], tmp_path: Path) -> None:
    other = fill(tmp_path / 'other', 'a/1.png', 'c/1.png')
    with pytest.raises(ValueError, match=r"datasets\[0\] data set has 'b'.*datasets\[2\] .* 'c'"):
        whole([roots[0], roots[1], other])
    more = fill(tmp_path / 'more', 'a/1.png', 'aa/1.png', 'b/1.png')
    with pytest.raises(ValueError, match=r"only the datasets\[1\] data set has 'aa'"):
        whole([roots[0], more])
    assert whole([roots[0], more.rename(tmp_path / 'm')][:1]).classes == ('a', 'b')


def test_labels_without_names_are_refused(roots: list[Path]) -> None:
    part = ImageFolder(roots[0])
    part.classes = ()
    with pytest.raises(ValueError, match=r'datasets\[1\] of ConcatDataset has labels but no names'):
        ConcatDataset([ImageFolder(roots[1]), part])


@pytest.mark.parametrize('wrong', [[], {}, 'data', dict(type='ImageFolder')])
def test_no_list_of_data_sets(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r'ConcatDataset\.datasets is .*expected a list'):
        ConcatDataset(wrong)


def test_pipelines_here_and_there(roots: list[Path]) -> None:
    having, without = folder(roots[0], pipeline=VIEWS), folder(roots[1])
    with pytest.raises(ValueError, match='ConcatDataset has a pipeline and data set 0 within it'):
        ConcatDataset([having, without], pipeline=VIEWS)
    with pytest.raises(ValueError, match='data set 0 .* has a pipeline, data set 1 has none'):
        ConcatDataset([having, without])
    hidden = dict(type='RepeatDataset', dataset=having, times=2)
    with pytest.raises(ValueError, match='data set 1 within ConcatDataset has a pipeline, data s'):
        ConcatDataset([without, hidden])


def test_data_sets_of_others_are_refused() -> None:
    with pytest.raises(ValueError, match=r'datasets has a range, whose samples are not keyed'):
        ConcatDataset([range(3)])


@pytest.mark.parametrize(
    'kind', ['mmengine.ConcatDataset', 'mmengine.RepeatDataset', 'ClassBalancedDataset']
)
def test_wrappers_of_the_engine_say_what_to_take(roots: list[Path], kind: str) -> None:
    init_default_scope('mochi_mm')
    settings = dict(
        ConcatDataset=dict(datasets=[folder(roots[0])]),
        RepeatDataset=dict(dataset=folder(roots[0]), times=2),
        ClassBalancedDataset=dict(dataset=folder(roots[0]), oversample_thr=0.5),
    )[kind.split('.')[-1]]
    with pytest.raises(
        AttributeError, match=r"cannot hold ImageFolder; expected this project's Conc"
    ):
        DATASETS.build(dict(type=kind, **settings))


def test_a_whole_run_on_two_folders(roots: list[Path], tmp_path: Path) -> None:
    """A bank with one row an image: each image of both folders finds its own."""
    config = runner_config(tmp_path / 'run', max_epochs=1)
    config.train_dataloader.dataset = dict(
        type='ConcatDataset',
        datasets=[folder(roots[0], pipeline=TWO_VIEWS), folder(roots[1], pipeline=TWO_VIEWS)],
    )
    config.train_dataloader.batch_size = 5
    config.model.head.memory = dict(
        type='InstanceBank', length=10, dim=config.model.head.memory.dim
    )
    check_config(config)
    memory = train(config).model.head.memory
    assert memory.indices.tolist() == list(range(10))
    assert memory.labels.tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 1, 1]
