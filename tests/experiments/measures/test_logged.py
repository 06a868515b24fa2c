"""The course of a scalar, by the epochs at which it was logged."""

from __future__ import annotations

from pathlib import Path

import pytest

from mochi_mm.experiments.measures import Logged
from mochi_mm.runs.run import read_run
from tests.experiments.measures.toy import toy_subject
from tests.visualization.report.toy import write_run


def test_the_course_of_a_scalar(tmp_path: Path) -> None:
    write_run(tmp_path / 'run')
    epochs, values = read_run(tmp_path / 'run').log.curve('loss', True)
    found = Logged('loss')(toy_subject(tmp_path / 'run', epochs=3))
    assert list(found.values()) == values and len(values) == 12
    assert list(found)[-1] == 'loss at epoch 3' and epochs[-1] == 3
    assert Logged('loss')(toy_subject(tmp_path / 'run')) == {}
    with pytest.raises(ValueError, match='has logged no nonsense'):
        Logged('nonsense')(toy_subject(tmp_path / 'run', epochs=3))
    assert Logged('nonsense', optional=True)(toy_subject(tmp_path / 'run', epochs=3)) == {}


def test_the_last_value_of_each_epoch(tmp_path: Path) -> None:
    write_run(tmp_path / 'run')
    _, values = read_run(tmp_path / 'run').log.curve('loss', True)
    found = Logged('loss', each_epoch=True)(toy_subject(tmp_path / 'run', epochs=3))
    assert found == {f'loss at epoch {e}': values[4 * e - 1] for e in (1, 2, 3)}
