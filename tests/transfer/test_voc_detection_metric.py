"""AP of hand-made boxes, worked out by hand and by a loop."""

from __future__ import annotations

from typing import Any

import pytest
import torch

pytest.importorskip('mmdet', reason='mmdet is not installed')

from mochi_mm.evaluation.average_precision import average_precision
from mochi_mm.transfer import VOCDetectionMetric

BOX = [0.0, 0.0, 10.0, 10.0]
FAR = [50.0, 50.0, 60.0, 60.0]


def image(
    real: list[tuple[list[float], int]],
    found: list[tuple[list[float], int, float]],
    ignored: tuple[tuple[list[float], int], ...] = (),
) -> dict[str, Any]:
    """A data sample as a detector returns it."""

    def boxes(items: Any) -> Any:
        return torch.tensor([i[0] for i in items]).reshape(-1, 4)

    def labels(items: Any) -> Any:
        return torch.tensor([i[1] for i in items], dtype=torch.int64)

    return dict(
        gt_instances=dict(bboxes=boxes(real), labels=labels(real)),
        ignored_instances=dict(bboxes=boxes(ignored), labels=labels(ignored)),
        pred_instances=dict(
            bboxes=boxes(found), labels=labels(found), scores=torch.tensor([f[2] for f in found])
        ),
    )


def measure(*images: dict[str, Any], classes: int = 1) -> dict[str, float]:
    metric = VOCDetectionMetric(num_processes=1)
    metric.dataset_meta = dict(classes=tuple('abc'[:classes]))
    for one in images:
        metric.process({}, [one])
    return metric.evaluate(len(images))


def test_perfect_and_empty() -> None:
    perfect = image([(BOX, 0), (FAR, 0)], [(BOX, 0, 0.9), (FAR, 0, 0.8)])
    assert measure(perfect) == pytest.approx({'voc/AP': 100, 'voc/AP50': 100, 'voc/AP75': 100})
    missed = image([(BOX, 0)], [])
    assert measure(missed) == {'voc/AP': 0, 'voc/AP50': 0, 'voc/AP75': 0}


@pytest.mark.parametrize(
    ('width', 'thresholds'), [(8.0, 7), (5.0, 1), (4.9, 0), (9.5, 10), (7.5, 6), (10.0, 10)]
)
def test_overlap_is_that_of_continuous_coordinates(width: float, thresholds: int) -> None:
    """A box of part of the width overlaps by width / 10: right at so many of the ten thresholds."""
    found = measure(image([(BOX, 0)], [([0.0, 0.0, width, 10.0], 0, 0.5)]))
    assert found['voc/AP'] == pytest.approx(10 * thresholds)
    assert found['voc/AP50'] == (100 if thresholds >= 1 else 0)
    assert found['voc/AP75'] == (100 if thresholds >= 6 else 0)


def test_precision_at_eleven_recalls() -> None:
    """Right, wrong, right of two: precision 1 up to recall 1/2 (6 points), then 2/3 (5 points)."""
    one = image([(BOX, 0), (FAR, 0)], [(BOX, 0, 0.9), ([0, 80, 9, 90], 0, 0.8), (FAR, 0, 0.7)])
    expected = 100 * (6 + 5 * 2 / 3) / 11
    assert measure(one)['voc/AP50'] == pytest.approx(expected)
    second = image([], [])
    assert measure(second, one)['voc/AP50'] == pytest.approx(expected)


def test_a_second_box_on_the_same_object_is_wrong() -> None:
    one = image([(BOX, 0)], [(BOX, 0, 0.8), (BOX, 0, 0.9)])
    assert measure(one)['voc/AP50'] == pytest.approx(100)  # recall 1 is reached by the first
    both = image([(BOX, 0), (FAR, 0)], [(BOX, 0, 0.9), (BOX, 0, 0.8), (FAR, 0, 0.7)])
    assert measure(both)['voc/AP50'] == pytest.approx(100 * (6 + 5 * 2 / 3) / 11)


def test_ignored_objects_count_neither_way() -> None:
    one = image([(BOX, 0)], [(FAR, 0, 0.9), (BOX, 0, 0.8)], ignored=((FAR, 0),))
    assert measure(one)['voc/AP50'] == pytest.approx(100)
    unfound = image([(BOX, 0)], [(BOX, 0, 0.8)], ignored=((FAR, 0),))
    assert measure(unfound)['voc/AP50'] == pytest.approx(100)


def test_mean_over_the_classes_that_have_objects() -> None:
    one = image([(BOX, 0), (FAR, 1)], [(BOX, 0, 0.9), (FAR, 2, 0.9)])
    assert measure(one, classes=3)['voc/AP50'] == pytest.approx(50)


def apart(number: int) -> list[list[float]]:
    """So many boxes that do not touch."""
    return [[20.0 * i, 0.0, 20.0 * i + 10, 10.0] for i in range(number)]


@pytest.mark.parametrize('objects', range(1, 21))
def test_no_level_of_recall_is_lost(objects: int) -> None:
    """k of n found, nothing else: precision 1 at each of the levels j/10 with 10 k >= j n.

    At 3, 6 and 7 of 10 the level itself has no exact double; 3 of 10 is 4/11, not 3/11.
    """
    for right in range(1, objects + 1):
        boxes = apart(objects)
        found = [(box, 0, 0.9 - 0.01 * i) for i, box in enumerate(boxes[:right])]
        value = measure(image([(box, 0) for box in boxes], found))['voc/AP50']
        levels = sum(10 * right >= j * objects for j in range(11))
        assert value == pytest.approx(100 * levels / 11, abs=1e-9), (right, objects)


def test_the_table_in_the_log_has_the_same_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    monkeypatch.setattr(
        'mochi_mm.transfer.voc_detection_metric.print_map_summary',
        lambda mean, rows, names, logger: shown.append((mean, [row['ap'] for row in rows])),
    )
    boxes = apart(10)
    measure(image([(box, 0) for box in boxes], [(box, 0, 0.5) for box in boxes[:6]]))
    assert shown == [(pytest.approx(7 / 11), [pytest.approx(7 / 11)])]


@pytest.mark.parametrize('twentieths', range(10, 21))
@pytest.mark.parametrize('side', [20, 300])
def test_an_overlap_exactly_at_a_threshold_counts(twentieths: int, side: int) -> None:
    """IoU is twentieths / 20, each of the ten thresholds once; right at that one and below."""
    box = [0.0, 0.0, float(side), 10.0]
    part = [0.0, 0.0, side * twentieths / 20, 10.0]
    found = measure(image([(box, 0)], [(part, 0, 0.5)]))
    assert found['voc/AP'] == pytest.approx(10 * min(10, twentieths - 9))


def test_it_agrees_with_the_average_precision_of_a_ranking() -> None:
    """The same order of right and wrong, every object found in the end."""
    generator = torch.Generator().manual_seed(3)
    for objects, wrong in ((10, 4), (10, 11), (7, 9), (30, 20)):
        order = torch.randperm(objects + wrong, generator=generator)
        boxes = apart(objects + wrong)
        scores = [1 - 0.01 * float(place) for place in order]
        real = [(box, 0) for box in boxes[:objects]]
        found = [(box, 0, score) for box, score in zip(boxes, scores, strict=True)]
        expected = average_precision(scores, [i < objects for i in range(objects + wrong)])
        assert measure(image(real, found))['voc/AP50'] == pytest.approx(100 * expected, abs=1e-4)


@pytest.mark.parametrize('ignored', [(), ((BOX, 0),)])
def test_nothing_to_be_found_has_no_average_precision(ignored: Any) -> None:
    with pytest.raises(ValueError, match='AP is not defined: none of the 1 images has an object'):
        measure(image([], [(BOX, 0, 0.9)], ignored))


def slow_ap(images: list[dict[str, Any]], threshold: float) -> float:
    """11-point AP of one class by the definition: loops, no arrays, float64."""
    wins, total = [], 0
    for one in images:
        truth = one['gt_instances']['bboxes'].tolist()
        total += len(truth)
        taken: set[int] = set()
        found = one['pred_instances']
        order = sorted(range(len(found['scores'])), key=lambda i: -float(found['scores'][i]))
        for i in order:
            a = found['bboxes'][i].tolist()
            overlaps = []
            for b in truth:
                width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
                height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
                both = width * height
                area = sum((x[2] - x[0]) * (x[3] - x[1]) for x in (a, b))
                overlaps.append(both / (area - both))
            best = max(range(len(truth)), key=lambda j: overlaps[j])
            right = overlaps[best] >= threshold and best not in taken
            if right:
                taken.add(best)
            wins.append((float(found['scores'][i]), right))
    wins.sort(key=lambda pair: -pair[0])
    points = []
    for rank in range(1, len(wins) + 1):
        right = sum(w for _, w in wins[:rank])
        points.append((right / total, right / rank))
    return (
        sum(max([p for r, p in points if r >= step / 10 - 1e-9], default=0.0) for step in range(11))
        / 11
    )


def test_equals_a_slow_loop_on_random_boxes() -> None:
    generator = torch.Generator().manual_seed(0)
    images = []
    for number in (1, 4, 7):
        corner = 40 * torch.rand(number, 2, generator=generator)
        size = 10 + 20 * torch.rand(number, 2, generator=generator)
        real = torch.cat([corner, corner + size], 1)
        noisy = real.repeat(3, 1) + 4 * torch.randn(3 * number, 4, generator=generator)
        scores = torch.rand(3 * number, generator=generator)
        images.append(
            image(
                [(box, 0) for box in real.tolist()],
                [(box, 0, s) for box, s in zip(noisy.tolist(), scores.tolist(), strict=True)],
            )
        )
    found = measure(*images)
    steps = [slow_ap(images, 0.5 + 0.05 * i) for i in range(10)]
    assert 0.1 < steps[0] < 1
    assert found['voc/AP50'] == pytest.approx(100 * steps[0], abs=1e-4)
    assert found['voc/AP75'] == pytest.approx(100 * steps[5], abs=1e-4)
    assert found['voc/AP'] == pytest.approx(10 * sum(steps), abs=1e-4)
