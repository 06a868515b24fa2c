"""Generated scenes: repeatable, balanced, and not to be told apart by color."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mochi_mm.datasets import ShapeScenes


def pixels(scenes: ShapeScenes, index: int) -> np.ndarray:
    return np.asarray(scenes.image(index))


def test_scenes_depend_on_seed_split_and_index_alone() -> None:
    scenes, longer = ShapeScenes(10), ShapeScenes(40)
    for index in (0, 3, 9):
        assert (pixels(scenes, index) == pixels(longer, index)).all()
    assert (pixels(scenes, 0) != pixels(scenes, 1)).any()
    assert (pixels(scenes, 0) != pixels(ShapeScenes(10, seed=1), 0)).any()
    assert (pixels(scenes, 0) != pixels(ShapeScenes(10, 'val'), 0)).any()


def test_kinds_are_equally_frequent_and_dominate_their_scene() -> None:
    scenes = ShapeScenes(60, num_objects=(2, 5))
    assert np.bincount(scenes.labels).tolist() == [6] * 10
    for index in range(60):
        area = np.zeros(10)
        for item in scenes.annotations(index):
            area[item.kind] += item.mask.sum()
        assert area.argmax() == scenes.labels[index]


def test_mean_color_does_not_tell_the_kind() -> None:
    """Nearest class mean of the image's mean color: chance is 10 %."""
    train, val = ShapeScenes(600), ShapeScenes(300, 'val')
    color = [np.array([pixels(s, i).mean((0, 1)) for i in range(len(s))]) for s in (train, val)]
    centers = np.array([color[0][train.labels == k].mean(0) for k in range(10)])
    guess = ((color[1][:, None] - centers[None]) ** 2).sum(2).argmin(1)
    assert (guess == val.labels).mean() < 0.2


def test_mixed_scenes_have_no_label() -> None:
    scenes = ShapeScenes(12, mixed=True)
    assert (scenes.labels == -1).all()
    assert len({item.kind for i in range(12) for item in scenes.annotations(i)}) > 5


def test_cache_holds_the_same_images_and_is_used(tmp_path: Path, monkeypatch) -> None:
    drawn = ShapeScenes(6)
    cached = ShapeScenes(6, cache_dir=tmp_path)
    assert all((pixels(drawn, i) == pixels(cached, i)).all() for i in range(6))
    monkeypatch.setattr(ShapeScenes, 'scene', lambda self, index: pytest.fail('drawn again'))
    again = ShapeScenes(6, cache_dir=tmp_path)
    assert (pixels(again, 5) == pixels(cached, 5)).all()
    assert [path.suffix for path in tmp_path.iterdir()] == ['.npy']


def test_cache_of_other_settings_is_another_file(tmp_path: Path) -> None:
    for arguments in (dict(), dict(seed=1), dict(split='val'), dict(image_size=32)):
        ShapeScenes(3, cache_dir=tmp_path, **arguments)
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(num_scenes=0), 'num_scenes is 0; expected at least 1'),
        (dict(split='dev'), "split is 'dev'; expected one of train, val, test"),
        (dict(image_size=8), 'image_size is 8; expected at least 24'),
        (dict(num_objects=(3, 2)), r'num_objects is \(3, 2\); expected \(fewest, most\)'),
        (dict(num_objects=(0, 2)), r'num_objects is \(0, 2\)'),
    ],
)
def test_bad_numbers(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ShapeScenes(**arguments)
