"""A sweep on the disk: budgets do not mix, seeds stay, what is not there is said."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from mochi_mm.experiments.measures import LinearTransfer
from mochi_mm.experiments.outputs import budget_words
from mochi_mm.experiments.setting import Setting
from mochi_mm.experiments.sweep import Sweep
from mochi_mm.files.text_file import read_json
from tests.experiments.toy import cut, finish, toy_sweep, two_settings, write_images
from tests.toy_runner import REPOSITORY


def test_another_budget_is_refused(tmp_path: Path) -> None:
    sweep = toy_sweep(tmp_path)
    sweep.prepare()
    other = dataclasses.replace(sweep.suite, epochs=3)
    with pytest.raises(ValueError, match=r"'epochs': 2.*asks for.*'epochs': 3"):
        dataclasses.replace(sweep, suite=other).prepare()
    other = cut('evidence_cpu', 2, 26, queries=3)
    with pytest.raises(ValueError, match=r"asks for.*'queries_per_class': 3"):
        dataclasses.replace(sweep, suite=other).prepare()
    assert read_json(tmp_path / 'sweep/plan.json') == dict(
        sweep.budget, data_root=str(tmp_path / 'images')
    )


def test_other_data_are_refused(tmp_path: Path) -> None:
    sweep = toy_sweep(tmp_path)
    other = dataclasses.replace(sweep, data_root=write_images(tmp_path / 'other'))
    with pytest.raises(ValueError, match=r'/images.*asks for.*/other.*change data_root in'):
        other.prepare()
    (tmp_path / 'link').symlink_to(tmp_path / 'images')
    dataclasses.replace(sweep, data_root=tmp_path / 'link').prepare()


def test_missing_data_is_said(tmp_path: Path) -> None:
    suite = cut('evidence_cpu', 1, 5)
    sweep = Sweep('evidence_cpu', suite, REPOSITORY, tmp_path / 'out', tmp_path / 'elsewhere')
    with pytest.raises(FileNotFoundError, match=r'cifar10/train; --data-root is .*elsewhere'):
        sweep.prepare()
    images = write_images(tmp_path / 'images')
    measures = [*suite.measures, LinearTransfer('birds')]
    sweep = dataclasses.replace(
        sweep, data_root=images, suite=dataclasses.replace(suite, measures=measures)
    )
    with pytest.raises(FileNotFoundError, match='birds/train.*holds cifar10, birds'):
        sweep.prepare()
    assert not (tmp_path / 'out').exists()


def test_a_suite_that_draws_its_images_needs_no_folder(tmp_path: Path) -> None:
    sweep = Sweep('two', two_settings(), tmp_path, tmp_path / 'out', tmp_path / 'none')
    sweep.prepare()
    assert [run.folder for run in sweep.runs(['b'], [4])] == [tmp_path / 'out/generated/b/seed_4']


def test_runs_compare_like_with_like_early(tmp_path: Path) -> None:
    sweep = toy_sweep(tmp_path)
    runs = sweep.runs([], [0, 1])
    assert [run.seed for run in runs] == [0] * 7 + [1] * 7
    assert [run.setting.name for run in runs[:2]] == ['untrained', 'mocov2']
    (one,) = sweep.runs(['mochi-256-256-0'], [3])
    assert one.folder == tmp_path / 'sweep/cifar10/mochi-256-256-0/seed_3'
    assert one.name == 'cifar10 mochi-256-256-0 seed 3'
    with pytest.raises(ValueError, match="no setting 'nonsense' in evidence_cpu: untrained, moco"):
        sweep.runs(['nonsense'], [])


def test_the_first_call_chooses_the_images(tmp_path: Path) -> None:
    """Images that come later are not in the lists; a call that failed leaves no plan."""
    sweep = toy_sweep(tmp_path)
    path = sweep.lists('cifar10') / 'train.txt'
    before = path.read_text()
    folder = tmp_path / 'images/cifar10/train/class0'
    for name in ('00.png', '01.png', '02.png'):
        (folder / name).rename(folder / f'new{name}')
    sweep.prepare()
    assert path.read_text() == before
    few = dataclasses.replace(sweep, suite=cut('evidence_cpu', 2, 31), out=tmp_path / 'few')
    with pytest.raises(ValueError, match="'class0' has 30"):
        few.prepare()
    assert not few.out.exists()


def test_what_is_done_of_a_run(tmp_path: Path) -> None:
    sweep = toy_sweep(tmp_path)
    assert sweep.seeds_on_disk() == set()
    (run,) = sweep.runs(['mocov2'], [4])
    assert run.work == 3 and run.done() == 0 and run.result() is None
    run.folder.mkdir(parents=True)
    (run.folder / 'last_checkpoint').write_text(f'{run.folder}/epoch_1.pth\n')
    (run.folder.parent / 'seed_old').mkdir()  # a copy that somebody kept
    assert run.done() == 1 and sweep.seeds_on_disk() == {4}
    finish(run, lambda key: 1.0)
    assert run.done() == 3 and run.result()['seed'] == 4  # type: ignore[index]
    (untrained,) = sweep.runs(['untrained'], [0])
    assert untrained.work == 1


def test_a_setting_may_be_trained_longer(tmp_path: Path) -> None:
    suite = two_settings(epochs=6, settings=[Setting('a', 'A', 'a.py', longer=2.2)])
    (run,) = Sweep('two', suite, tmp_path, tmp_path, tmp_path).runs([], [0])
    assert run.epochs == 13 and run.work == 14 and run.weights_path.name == 'epoch_13.pth'
    assert budget_words(suite, [0], run.setting).startswith('13 epochs')
    assert suite.epochs_of(dataclasses.replace(run.setting, longer=0.01)) == 1
