"""Upkeep of clusters in a run: when, what is logged, a resume, a model without clusters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mochi_mm.models.memories import ClusterBank
from tests.engine.hooks.test_pseudo_label_hook import config_of
from tests.engine.test_resume import assert_same_run
from tests.models.algorithms.toy import moco_config
from tests.toy_runner import train

HEAD = dict(
    type='InterClusterHead',
    memory=dict(type='FeatureQueue', length=16, dim=8),
    bank=dict(type='ClusterBank', length=16, num_clusters=4, dim=8, min_size=3),
    num_negatives=6,
    pool=9,
)


def inter_config(folder: Path, **changes: Any) -> Any:
    config = config_of(folder, 2, HEAD, interval=None, start_epoch=0)
    config.custom_hooks.append(dict(type='ClusterUpkeepHook', interval=3))
    config.merge_from_dict(changes)
    return config


def test_a_run_of_clusters_goes_on_to_the_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kept up after iterations 3 and 6; killed between them, behind the start of the clusters."""
    kept: list[dict[str, float]] = []
    upkeep = ClusterBank.upkeep
    monkeypatch.setattr(
        ClusterBank, 'upkeep', lambda self, g: kept.append(upkeep(self, g)) or kept[-1]
    )
    runner = train(inter_config(tmp_path / 'straight'))
    assert len(kept) == 2 and all(
        set(x) == {'merged', 'refilled', 'empty', 'largest'} for x in kept
    )
    logged = runner.message_hub.get_scalar('train/clusters/largest').data[0]
    assert logged.tolist() == [x['largest'] for x in kept]
    assert bool((runner.model.head.bank.labels >= 0).all())
    parts = inter_config(tmp_path / 'parts')
    parts.custom_hooks.append(dict(type='SignalHook', at=4))
    with pytest.raises(SystemExit):
        train(parts)
    rest = inter_config(tmp_path / 'parts', resume=True)
    rest.experiment_name += '_on'
    train(rest)
    assert_same_run(tmp_path / 'straight', tmp_path / 'parts')


def test_a_model_without_clusters_is_refused(tmp_path: Path) -> None:
    config = inter_config(tmp_path)
    config.model = moco_config()
    config.custom_hooks = [dict(type='ClusterUpkeepHook')]
    with pytest.raises(ValueError, match='no part of the model with clusters that move'):
        train(config)
