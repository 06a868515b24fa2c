"""Two processes analyze what one does: features alike, views and memory over all their batches."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mochi_mm.evaluation.analysis import AnalysisSettings, analyze, view_batches
from mochi_mm.evaluation.analysis.as_in_training import as_in_training
from mochi_mm.evaluation.analysis.memory_sums import add, memory_sums, scalars_of
from mochi_mm.randomness import StepKey
from mochi_mm.structures import Views
from tests.evaluation.analysis.toy import pairs, samples, trained_moco
from tests.ranks import run_ranks
from tests.toy_runner import NoiseImages

SETTINGS = AnalysisSettings(num_queries=12, num_hard=5, seed=2)
MORE = AnalysisSettings(('lidar',), num_queries=12, seed=2, lidar_images=12, lidar_views=3)


def model() -> Any:
    return trained_moco(batch_shuffle='none')


def _analyze(rank: int, state: dict[str, torch.Tensor]) -> tuple[dict[str, float], dict[str, Any]]:
    from tests.models.algorithms.toy import build_moco

    made = build_moco(batch_shuffle='none')
    made.load_state_dict(state)
    found = analyze(made, samples(), pairs(SETTINGS, batch_size=3), SETTINGS)
    more = analyze(made, samples(), pairs(MORE, batch_size=3), MORE)
    counts = dict(found.counts, curve=found.arrays['probabilities'].tolist())
    return {**found.scalars, **more.scalars}, counts


def test_two_ranks() -> None:
    made = model()
    one, two = run_ranks(_analyze, 2, made.state_dict())
    assert one == two
    scalars, counts = one
    alone = analyze(made, samples(), pairs(SETTINGS, batch_size=3), SETTINGS)
    assert (counts['samples'], counts['queries']) == (12, 12)
    # Batches and views are the same; what mixers draw is keyed by the rank.
    more = analyze(made, samples(), pairs(MORE, batch_size=3), MORE)
    assert set(more.scalars) == {'lidar/backbone', 'lidar/neck'}
    for name, value in {**alone.scalars, **more.scalars}.items():
        if not any(word in name for word in ('synthetic', 'harder', 'Mixing')):
            assert scalars[name] == pytest.approx(value, rel=1e-5), name
    assert counts['curve'] == pytest.approx(alone.arrays['probabilities'].tolist(), rel=1e-5)
    # The mixers too, batch by batch: rank r took every second batch, from r on.
    total: dict[str, Any] = {}
    batches = list(pairs(SETTINGS, batch_size=3))
    for number, batch in enumerate(batches):
        step = StepKey(SETTINGS.seed, number // 2, number % 2)
        data = made.data_preprocessor(batch, False)
        with torch.no_grad(), as_in_training(made, step):
            query, key = made.embed_pair(data['inputs'])
            pair = Views({0: query}, {1: key}, data['data_samples'])
            sums = memory_sums(made.head, pair, 5)
        total = add(total, sums)
    for name, value in scalars_of(total).items():
        assert scalars[name] == pytest.approx(value, rel=1e-5), name


def _views(rank: int) -> list[list[int]]:
    loader = view_batches(NoiseImages(16), 16, 0, 5)
    return [batch['data_samples']['sample_idx'].tolist() for batch in loader]


def test_ranks_take_equally_many_full_batches() -> None:
    one, two = run_ranks(_views, 2)
    assert [len(batch) for batch in [*one, *two]] == [5, 5]
    assert len({*one[0], *two[0]}) == 10


def _too_few(rank: int) -> str:
    with pytest.raises(ValueError) as refusal:
        view_batches(NoiseImages(4), 4, 0, 4)
    return str(refusal.value)


def test_too_few_batches_for_the_ranks() -> None:
    assert all('fewer than 2 rank(s)' in text for text in run_ranks(_too_few, 2))
