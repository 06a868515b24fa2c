"""The analysis at the end is the one that the hook left; its hook looks at the queries."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from mochi_mm.evaluation.analysis import write_analysis
from mochi_mm.experiments.measures import Analysis
from tests.experiments.measures.toy import toy_subject


def test_what_was_left(tmp_path: Path) -> None:
    write_analysis(
        tmp_path / 'analysis',
        'epoch_3',
        dict(scalars={'acc_contrast': 0.5, 'decay/neck': math.nan}),
        {},
    )
    assert Analysis()(toy_subject(tmp_path, epochs=3)) == {'acc_contrast': 0.5}
    with pytest.raises(FileNotFoundError, match=r'epoch_4.json'):
        Analysis()(toy_subject(tmp_path, epochs=4))


def test_the_course(tmp_path: Path) -> None:
    for epoch, value in ((3, 0.25), (6, 0.5)):
        scalars = dict(share_synthetic=value, **({'found': math.nan} if epoch == 3 else {}))
        write_analysis(tmp_path / 'analysis', f'epoch_{epoch}', dict(scalars=scalars), {})
    assert Analysis(course=True)(toy_subject(tmp_path, epochs=6)) == {
        'share_synthetic': 0.5,
        'share_synthetic at epoch 3': 0.25,
        'share_synthetic at epoch 6': 0.5,
    }


def test_the_hook(tmp_path: Path) -> None:
    config = toy_subject(tmp_path).config
    (hook,) = Analysis().hooks(config, 4)
    assert hook == dict(type='AnalysisHook', interval=4, dataloader=config.query_dataloader)
