"""Lists of images: how many, which, and that queries cut from the training images are not in it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from mochi_mm.experiments.images import Images, loaders_of
from tests.experiments.toy import write_images


def lists(root: Path, images: Images) -> dict[str, list[str]]:
    folder = root / 'lists'
    images.write_lists(root / 'cifar10', folder)
    return {path.stem: path.read_text().splitlines() for path in folder.glob('*.txt')}


def config_of(dataset: dict[str, Any]) -> Config:
    names = ('train', 'bank', 'query', 'other')
    loaders = {
        f'{name}_dataloader': dict(dataset=dict(dataset, split=split))
        for name, split in zip(names, ('train', 'train', 'val', 'train'), strict=True)
    }
    return Config(dict(**loaders, val_dataloader=None))


def test_the_first_of_each_class(tmp_path: Path) -> None:
    write_images(tmp_path)
    found = lists(tmp_path, Images(3, 2, first=True))
    assert found['train'][:4] == [*(f'class0/0{n}.png' for n in range(3)), 'class1/00.png']
    assert len(found['train']) == 30 and len(found['query']) == 20
    assert found['query'][:2] == ['class0/00.png', 'class0/01.png']


def test_a_draw_is_the_same_and_grows(tmp_path: Path) -> None:
    write_images(tmp_path)
    small = lists(tmp_path, Images(3))
    owners = [path.split('/')[0] for path in small['train']]
    assert set(small) == {'train'}
    assert [owners.count(f'class{kind}') for kind in range(10)] == [3] * 10
    assert lists(tmp_path, Images(3)) == small
    assert set(small['train']) < set(lists(tmp_path, Images(20))['train'])


@pytest.mark.parametrize('number', [None, 24])
def test_what_is_held_out_is_not_trained_on(tmp_path: Path, number: int | None) -> None:
    write_images(tmp_path)
    images = Images(number, 6, held_out=True)
    found = lists(tmp_path, images)
    assert len(found['query']) == 60 and len(found['train']) == 240
    assert not set(found['query']) & set(found['train'])
    config = config_of(dict(type='ImageFolder'))
    images.set_in(config, tmp_path / 'lists')
    assert config.query_dataloader.dataset.split == 'train'
    assert config.query_dataloader.dataset.include == str(tmp_path / 'lists/query.txt')
    assert config.bank_dataloader.dataset.include == str(tmp_path / 'lists/train.txt')
    assert images.count(config) == 240


def test_what_waits_for_the_end_is_neither_trained_on_nor_chosen_by(tmp_path: Path) -> None:
    write_images(tmp_path)
    images = Images(None, 6, held_out=True, final_per_class=9)
    found = lists(tmp_path, images)
    assert {name: len(paths) for name, paths in found.items()} == dict(
        train=150, query=60, final=90
    )
    assert len(set().union(*found.values())) == 300
    assert found['query'] == lists(tmp_path, Images(None, 6, held_out=True))['query']
    config = config_of(dict(type='ImageFolder'))
    config.final_dataloader = copy.deepcopy(config.query_dataloader)
    images.set_in(config, tmp_path / 'lists')
    final = config.final_dataloader.dataset
    assert (final.split, final.include) == ('train', str(tmp_path / 'lists/final.txt'))
    assert config.train_dataloader.dataset.include == str(tmp_path / 'lists/train.txt')
    assert 'for the end' in images.words()


@pytest.mark.parametrize('images', [Images(3), Images(None, 6, held_out=True)])
def test_without_a_part_for_the_end_its_loader_is_left(tmp_path: Path, images: Images) -> None:
    config = config_of(dict(type='ImageFolder'))
    config.final_dataloader = copy.deepcopy(config.query_dataloader)
    images.set_in(config, tmp_path)
    assert config.final_dataloader.dataset == dict(type='ImageFolder', split='val')


def test_a_total_in_equal_parts(tmp_path: Path) -> None:
    write_images(tmp_path)
    found = lists(tmp_path, Images(total=39, total_queries=20))
    assert len(found['train']) == 30 and len(found['query']) == 20  # ten classes
    assert found['train'] == lists(tmp_path, Images(per_class=3))['train']
    config = config_of(dict(type='ImageFolder'))
    images = Images(total=39, total_queries=20)
    images.set_in(config, tmp_path / 'lists')
    assert config.query_dataloader.dataset.include.endswith('query.txt')
    assert images.count(config) == 30 and images.words() == '39 images, of each class as many'
    with pytest.raises(ValueError, match='9 images of 10 classes'):
        lists(tmp_path, Images(total=9))
    for both in (dict(total=5, per_class=1), dict(total_queries=5, queries_per_class=1)):
        with pytest.raises(ValueError, match='expected one way to say'):
            Images(**both)  # type: ignore[arg-type]


def test_a_class_that_is_too_small(tmp_path: Path) -> None:
    write_images(tmp_path, train=3, val=1)
    with pytest.raises(ValueError, match="'class0' has 3"):
        lists(tmp_path, Images(5))
    with pytest.raises(ValueError, match="'class0' has 1"):
        lists(tmp_path, Images(queries_per_class=2, first=True))
    assert not (tmp_path / 'lists').exists()


def test_all_images_need_no_list(tmp_path: Path) -> None:
    config = config_of(dict(type='ImageFolder', index_cache='index.json'))
    before = copy.deepcopy(config)
    Images().set_in(config, tmp_path)
    assert Images().count(config) == 0
    for name, loader in loaders_of(before):
        del loader.dataset['index_cache']  # several runs would write it at once
        assert config[name] == loader
    assert lists(tmp_path, Images()) == {}


def test_generated_scenes_have_a_number(tmp_path: Path) -> None:
    config = config_of(dict(type='ShapeScenes', num_scenes=7))
    Images(5, 2).set_in(config, tmp_path)
    assert [loader.dataset.num_scenes for _, loader in loaders_of(config)] == [50, 50, 20, 50]
    assert Images(5, 2).count(config) == 50
    Images().set_in(config, tmp_path)
    assert config.query_dataloader.dataset.num_scenes == 20


def test_a_data_set_within_another_is_the_one(tmp_path: Path) -> None:
    config = config_of(dict(type='InMemory', dataset=dict(type='ImageFolder', index_cache='x')))
    write_images(tmp_path)
    images = Images(3, 2, held_out=True)
    lists(tmp_path, images)
    images.set_in(config, tmp_path / 'lists')
    listed = str(tmp_path / 'lists/query.txt')
    assert config.query_dataloader.dataset.dataset == dict(
        type='ImageFolder', include=listed, split='train'
    )
    assert 'include' not in config.query_dataloader.dataset
    assert images.count(config) == 30


def test_words_and_bad_numbers() -> None:
    assert Images().words() == 'all images'
    assert Images(5, 3).words() == '5 images of each class'
    assert 'images, 4 others of each class' in Images(None, 4, held_out=True).words()
    wrongs = (dict(per_class=0), dict(queries_per_class=0), dict(held_out=True))
    for wrong in (*wrongs, dict(final_per_class=3)):
        with pytest.raises(ValueError, match='per_class is'):
            Images(**wrong)  # type: ignore[arg-type]
