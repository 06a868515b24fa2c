"""A data set held in memory gives what the one within gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mochi_mm.datasets import (
    BackgroundShapeScenes,
    ColouredShapeScenes,
    ConcatDataset,
    ImageFolder,
    InMemory,
    NoisyLabels,
    RepeatDataset,
    ShapeScenes,
)
from mochi_mm.datasets.fault_record import FaultRecord
from mochi_mm.datasets.unreadable_image import UnreadableImage
from mochi_mm.models.data_preprocessors import ViewDataPreprocessor
from mochi_mm.randomness import SampleKey

PIPELINE = [
    dict(
        type='MultiView',
        transforms=[[dict(type='RandomResizedCrop', size=8), dict(type='RandomFlip')]],
        num_views=[2],
    ),
    dict(type='PackInputs'),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in ('a', 'b'):
        (tmp_path / name).mkdir()
        for i in range(2):
            pixels = rng.integers(0, 256, (12, 10, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f'{i}.png')
    return tmp_path


@pytest.mark.parametrize('kind', ['MultiView', 'FastMultiView'])
def test_equals_the_data_set_within(folder: Path, kind: str) -> None:
    pipeline = [dict(PIPELINE[0], type=kind), PIPELINE[1]]
    plain = ImageFolder(folder, pipeline=pipeline)
    held = InMemory(dict(type='ImageFolder', data_root=str(folder)), pipeline=pipeline)
    before = held.fingerprint()
    assert len(held) == len(plain) == 4
    assert held.metainfo == plain.metainfo and held.labels.tolist() == plain.labels.tolist()
    assert held.pixels.shape == (4, 12, 10, 3) and held.pixels.is_shared()
    for index in range(4):
        key = SampleKey(index, 3, 1)
        got, expected = held[key], plain[key]
        assert got['data_samples'] == expected['data_samples']
        for view, other in zip(got['inputs'], expected['inputs'], strict=True):
            assert torch.equal(view, other)
    assert held.fingerprint() == before  # the recipe is given the pixels themselves


def test_refuses_sizes_that_differ_and_a_pipeline_that_would_not_run(folder: Path) -> None:
    with pytest.raises(ValueError, match='has a pipeline, which would never run'):
        InMemory(ImageFolder(folder, pipeline=PIPELINE))
    Image.new('RGB', (10, 11)).save(folder / 'b' / '2.png')
    with pytest.raises(ValueError, match='image 4 is 10 x 11, image 0 is 10 x 12'):
        InMemory(ImageFolder(folder))


@pytest.mark.parametrize('kind', ['MultiView', 'FastMultiView', 'HeldMultiView'])
@pytest.mark.parametrize('bad', ['a/0.png', 'b/1.png'])
def test_an_unreadable_file_is_replaced_as_without_it(folder: Path, bad: str, kind: str) -> None:
    (folder / bad).write_bytes(b'bad')
    plain, dataset = ImageFolder(folder, pipeline=PIPELINE), held(folder, kind, VIEW)
    index = 0 if bad == 'a/0.png' else 3
    with pytest.raises(UnreadableImage, match=bad):
        dataset[index]
    plain.faults, dataset.faults = FaultRecord(4), FaultRecord(4)
    for epoch in range(4):
        key = SampleKey(index, 3, epoch)
        wanted = plain[key]['data_samples']
        assert dataset[key]['data_samples']['sample_idx'] == wanted['sample_idx'] != index
    assert dataset.faults.new() == [index]


class Listed(ShapeScenes):
    """Scenes with targets, as those of many classes an image."""

    targets = np.arange(30).reshape(10, 3)


@pytest.mark.parametrize('kind', ['MultiView', 'FastMultiView', 'HeldMultiView'])
def test_what_else_samples_have_is_held(kind: str) -> None:
    """By the exact recipe and the fast ones, of a part of the samples too."""
    tinted = ColouredShapeScenes(num_scenes=10, image_size=24)
    views = dict(type=kind, transforms=[[dict(type='RandomResizedCrop', size=8)]], num_views=[2])
    pack = dict(type='PackInputs', extra_keys=['bias_label', 'true_label'])
    dataset = InMemory(NoisyLabels(tinted, 1.0), pipeline=[views, pack])
    for index in (0, 7):
        packed = dataset[index]['data_samples']
        assert packed['bias_label'] == tinted.bias_labels[index]
        assert packed['true_label'] == index and packed['gt_label'] == dataset.labels[index]
    mixed = InMemory(ConcatDataset([Listed(10, image_size=24), tinted]), pipeline=[views])
    assert 'bias_label' not in mixed.sample(9)
    assert mixed.sample(13)['bias_label'] == tinted.bias_labels[3]
    assert not hasattr(mixed, 'targets')
    assert InMemory(Listed(10, image_size=24)).targets.tolist() == Listed.targets.tolist()
    assert InMemory(ShapeScenes(10, image_size=24)).further == {}


def test_masks_and_paths_of_images_are_held(folder: Path) -> None:
    scenes = BackgroundShapeScenes(num_scenes=10, image_size=24)
    sample, held = scenes.sample(3), InMemory(scenes).sample(3)
    assert held.keys() == sample.keys() and (held['mask'] == sample['mask']).all()
    assert np.array_equal(held['img'], sample['img'])
    assert InMemory(ImageFolder(folder)).sample(2)['img_path'] == 'b/0.png'


def test_a_repeated_image_is_not_two_images() -> None:
    """Held twice it would have two numbers: a negative of itself."""
    twice = RepeatDataset(ShapeScenes(10, image_size=32), 2)
    with pytest.raises(ValueError, match='20 samples of 10 images; .* around InMemory instead'):
        InMemory(twice)
    with pytest.raises(ValueError, match='30 samples of 20 images; .* around InMemory instead'):
        InMemory(ConcatDataset([twice, ShapeScenes(10, 'val', 32)]))
    around = RepeatDataset(InMemory(twice.source), 2)
    assert around.num_images == 10 and around.sample(13)['sample_idx'] == 3


def test_nothing_readable_is_an_error(folder: Path) -> None:
    source = ImageFolder(folder)
    for path in folder.glob('*/*.png'):
        path.write_bytes(b'bad')
    with pytest.raises(ValueError, match=r'no image of the data set within.*a/0\.png'):
        InMemory(source)


VIEW = [
    dict(type='RandomResizedCrop', size=12, scale=(0.2, 1.0)),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
    dict(type='RandomGrayscale', prob=0.2),
    dict(type='GaussianBlur', sigma=(0.1, 2.0), prob=0.5),
    dict(type='RandomFlip', prob=0.5),
]


def held(folder: Path, kind: str, view: list[dict]) -> InMemory:
    views = dict(type=kind, transforms=[view], num_views=[2])
    source = dict(type='ImageFolder', data_root=str(folder))
    return InMemory(source, pipeline=[views, dict(type='PackInputs')])


def views_of(dataset: InMemory, epoch: int) -> list[torch.Tensor]:
    batch = torch.utils.data.default_collate([dataset[SampleKey(i, 5, epoch)] for i in range(4)])
    preprocessor = ViewDataPreprocessor(mean=(0, 0, 0), std=(1, 1, 1))
    preprocessor.hold(dataset.pixels)
    done = preprocessor(batch)
    assert set(done['data_samples']) == {'gt_label', 'sample_idx'}
    return done['inputs']


def test_crops_on_the_device_are_pils(folder: Path) -> None:
    crop = [VIEW[0], VIEW[4]]
    for epoch in range(8):
        got = views_of(held(folder, 'HeldMultiView', crop), epoch)
        expected = views_of(held(folder, 'MultiView', crop), epoch)
        for view, other in zip(got, expected, strict=True):
            assert view.shape == other.shape == (4, 3, 12, 12)
            assert float((view - other).abs().max()) <= 1  # PIL rounds between its two passes


@pytest.mark.parametrize('kind', ['FastMultiView', 'DeviceMultiView', 'HeldMultiView'])
def test_crops_of_two_sizes_are_those_of_the_exact_recipe(folder: Path, kind: str) -> None:
    """Large and small crops of one key: the same draws, and pixels to one gray level."""
    flip = dict(type='RandomFlip', prob=0.5)
    large = [dict(type='RandomResizedCrop', size=12, scale=(0.3, 1.0)), flip]
    small = [dict(type='RandomResizedCrop', size=5, scale=(0.05, 0.9)), flip]

    def crops(kind: str, epoch: int) -> list[torch.Tensor]:
        views = dict(type=kind, transforms=[large, small], num_views=[2, 3])
        source = dict(type='ImageFolder', data_root=str(folder))
        return views_of(InMemory(source, pipeline=[views, dict(type='PackInputs')]), epoch)

    for epoch in range(3):
        got, expected = crops(kind, epoch), crops('MultiView', epoch)
        assert [view.shape[-1] for view in got] == [12, 12, 5, 5, 5]
        for view, other in zip(got, expected, strict=True):
            assert float((view - other).abs().max()) <= 1
        assert not torch.equal(got[2], got[3])


def test_the_rest_is_what_the_device_recipe_does(folder: Path) -> None:
    for epoch in range(8):
        got = views_of(held(folder, 'HeldMultiView', VIEW), epoch)
        expected = views_of(held(folder, 'DeviceMultiView', VIEW), epoch)
        for view, other in zip(got, expected, strict=True):
            assert float((view - other).abs().mean()) < 0.5


def test_held_views_say_what_they_need(folder: Path) -> None:
    tall = dict(type='HeldMultiView', transforms=[[dict(VIEW[0], size=(8, 4))]], num_views=[2])
    with pytest.raises(ValueError, match=r'views of sizes .* HeldMultiView makes square ones'):
        InMemory(ImageFolder(folder), pipeline=[tall, dict(type='PackInputs')])
    views = dict(type='HeldMultiView', transforms=[VIEW], num_views=[2])
    with pytest.raises(ValueError, match='InMemory'):
        ImageFolder(folder, pipeline=[views, dict(type='PackInputs')])[0]
    batch = torch.utils.data.default_collate([held(folder, 'HeldMultiView', VIEW)[0]])
    with pytest.raises(ValueError, match='HoldImagesHook'):
        ViewDataPreprocessor()(batch)
