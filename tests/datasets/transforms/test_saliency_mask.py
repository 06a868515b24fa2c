"""SaliencyMask: what is filled, the rate, masks of a folder, refusals."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mochi_mm.datasets import ConcatDataset, ImageFolder, InMemory, RepeatDataset
from mochi_mm.datasets.transforms import MultiView, RandomResizedCrop, SaliencyMask


def sample_of(picture: Any, seed: int = 0, **more: Any) -> dict[str, Any]:
    mask = np.zeros((picture.height, picture.width), bool)
    mask[2:5, 3:9] = True
    return {**dict(img=picture, mask=mask, rng=np.random.default_rng(seed)), **more}


def test_what_is_not_salient_is_filled(picture: Any) -> None:
    sample = sample_of(picture)
    out = np.asarray(SaliencyMask(1.0, fill=(1, 2, 3))(dict(sample))['img'])
    assert (out[sample['mask']] == np.asarray(picture)[sample['mask']]).all()
    assert (out[~sample['mask']] == (1, 2, 3)).all()


def test_where_nothing_is_salient_the_image_stays(picture: Any) -> None:
    sample = sample_of(picture)
    sample['mask'][:] = False
    assert SaliencyMask(1.0)(sample)['img'] is picture


def test_draws_decide_for_each_view(picture: Any) -> None:
    rng, transform = np.random.default_rng(7), SaliencyMask(0.3)
    sample = sample_of(picture, rng=rng)
    changed = [transform(dict(sample))['img'] is not picture for _ in range(300)]
    assert changed == (np.random.default_rng(7).random(300) < 0.3).tolist()
    views = MultiView([[SaliencyMask(1.0, fill=(0, 0, 0))], [RandomResizedCrop(size=8)]], [1, 1])
    first, second = views(sample_of(picture))['views']
    assert np.asarray(first).min() == 0 and second.size == (8, 8)
    assert sample['img'] is picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, size in (('a/one', (20, 10)), ('a/two', (20, 10)), ('b/three', (20, 10))):
        (tmp_path / 'images' / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / 'masks' / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', size, (200, 0, 0)).save(tmp_path / 'images' / f'{name}.jpg')
        mask = np.zeros(size[::-1], np.uint8)
        mask[3:7, :5] = 128
        mask[0] = 127
        Image.fromarray(mask).save(tmp_path / 'masks' / f'{name}.png')
    return tmp_path


def test_masks_of_a_folder_have_the_path_of_the_image(folder: Path) -> None:
    transform = SaliencyMask(1.0, folder / 'masks', (0, 0, 255))
    dataset = ImageFolder(str(folder / 'images'), pipeline=[transform])
    out = np.asarray(dataset[2]['img'])
    assert (out[3:7, :5, 2] < 100).all() and (out[0, :, 2] == 255).all()
    assert (out[:, 5:, 2] == 255).all()
    (folder / 'masks/b/three.png').unlink()
    with pytest.raises(FileNotFoundError, match=r'no mask .*three.png. of the image .b/three.jpg'):
        dataset[2]
    Image.new('L', (10, 20)).save(folder / 'masks/a/two.png')
    with pytest.raises(ValueError, match='two.png has 10 x 20 pixels but its image 20 x 10'):
        dataset[1]


def pipelines(folder: Path) -> list[list[Any]]:
    mask = dict(type='SaliencyMask', prob=0.1, mask_dir=str(folder / 'masks'))
    crop = dict(type='RandomResizedCrop', size=8)
    views = dict(type='MultiView', transforms=[[crop], [mask, crop]], num_views=[1, 1])
    return [[mask], [views, dict(type='PackInputs')]]


@pytest.mark.parametrize('nested', [False, True])
def test_a_missing_mask_is_told_at_the_start(folder: Path, nested: bool) -> None:
    """Not when it is drawn, with probability 0.1; whatever data set has the pipeline."""
    pipeline, root = pipelines(folder)[nested], str(folder / 'images')
    ImageFolder(root, pipeline=pipeline)
    InMemory(ImageFolder(root), pipeline=pipeline)
    RepeatDataset(ImageFolder(root), 2, pipeline)
    (folder / 'masks/a/two.png').unlink()
    shutil.rmtree(folder / 'masks/b')
    words = r"2 of 3 images have no mask in .*masks', such as 'a/two.jpg', whose .*a/two.png'"
    for build in (
        lambda: ImageFolder(root, pipeline=pipeline),
        lambda: InMemory(ImageFolder(root), pipeline=pipeline),
        lambda: RepeatDataset(ImageFolder(root), 2, pipeline),
        lambda: RepeatDataset(ConcatDataset([ImageFolder(root)]), 2, pipeline),
    ):
        with pytest.raises(FileNotFoundError, match=words):
            build()
    (folder / 'left_out.txt').write_text('a/two.jpg\nb/three.jpg\n')
    ImageFolder(root, pipeline=pipeline, exclude=folder / 'left_out.txt')
    ImageFolder(root, pipeline=[SaliencyMask(0.0, folder / 'masks')])


def test_masks_that_are_not_what_they_seem(folder: Path) -> None:
    transform = SaliencyMask(1.0, folder / 'masks', (0, 0, 255))
    dataset = ImageFolder(str(folder / 'images'), pipeline=[transform])
    path = folder / 'masks/a/one.png'
    Image.new('L', (20, 10), 1).save(path)
    with pytest.raises(ValueError, match='one.png. is made of 0 and 1; .* multiply them by 255'):
        dataset[0]
    Image.new('RGB', (20, 10), (0, 255, 0)).save(path)  # salient in any channel
    assert np.asarray(dataset[0]['img'])[..., 2].max() < 100
    path.write_bytes(b'no picture')
    with pytest.raises(ValueError, match='one.png cannot be used as a mask') as caught:
        dataset[0]
    assert type(caught.value) is ValueError  # not a damaged photograph, which is replaced


def test_refusals(picture: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'prob.*2'):
        SaliencyMask(2)
    with pytest.raises(ValueError, match=r'fill is \(0, 0\)'):
        SaliencyMask(fill=(0, 0))
    with pytest.raises(FileNotFoundError, match=r"mask_dir is 'none', which is no folder"):
        SaliencyMask(mask_dir='none')
    bare = dict(img=picture, rng=np.random.default_rng(0))
    with pytest.raises(KeyError, match='has no .mask., which SaliencyMask needs; set mask_dir'):
        SaliencyMask(1.0)(dict(bare))
    with pytest.raises(KeyError, match='has no .img_path.*take ImageFolder'):
        SaliencyMask(1.0, tmp_path)(dict(bare))
