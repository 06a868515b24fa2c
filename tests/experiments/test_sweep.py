"""A sweep on the disk: budgets do not mix, seeds stay, the lists are balanced."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from mochi_mm.experiments.benchmark import write_json
from mochi_mm.experiments.sweep import Sweep
from mochi_mm.files.text_file import read_json
from tests.experiments.toy import finish, toy_sweep, write_images


def test_another_budget_is_refused(tmp_path: Path) -> None:
    sweep = toy_sweep(tmp_path)
    sweep.prepare()
    with pytest.raises(ValueError, match=r"'epochs': 2.*asks for.*'epochs': 3"):
        dataclasses.replace(sweep, epochs=3).prepare()


def test_other_data_are_refused(tmp_path: Path) -> None:
    sweep = toy_sweep(tmp_path)
    other = dataclasses.replace(sweep, data_root=write_images(tmp_path / 'other'))
    with pytest.raises(ValueError, match=r'/images.*asks for.*/other.*change data_root in'):
        other.prepare()
    (tmp_path / 'link').symlink_to(tmp_path / 'images')
    dataclasses.replace(sweep, data_root=tmp_path / 'link').prepare()


def test_a_plan_without_its_data_is_completed(tmp_path: Path) -> None:
    """As an earlier version wrote it."""
    sweep = toy_sweep(tmp_path)
    plan = tmp_path / 'sweep/plan.json'
    write_json(plan, sweep.budget)
    sweep.prepare()
    assert read_json(plan) == dict(sweep.budget, data_root=str(tmp_path / 'images'))
    write_json(plan, sweep.budget)
    with pytest.raises(ValueError, match="asks for.*'epochs': 3"):
        dataclasses.replace(sweep, epochs=3).prepare()


def test_missing_data_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r'cifar10/train; --data-root is .*elsewhere'):
        Sweep('cpu', tmp_path / 'out', tmp_path / 'elsewhere', 1, 5).prepare()
    assert not (tmp_path / 'out').exists()
    write_images(tmp_path / 'few', train=3, val=1)
    with pytest.raises(ValueError, match="'class0' has 3"):
        Sweep('cpu', tmp_path / 'out', tmp_path / 'few', 1, 5).prepare()


def test_the_list_holds_as_many_of_each_class(tmp_path: Path) -> None:
    path = toy_sweep(tmp_path).subset_list('cifar10')
    assert path is not None
    owners = [line.split('/')[0] for line in path.read_text().splitlines()]
    assert {owners.count(f'class{kind}') for kind in range(10)} == {26} and len(owners) == 260


def test_runs_and_what_is_done_of_them(tmp_path: Path) -> None:
    sweep = toy_sweep(tmp_path)
    runs = list(sweep.runs([], [0, 1, 2]))
    assert len(runs) == 21 and len({run.folder for run in runs}) == 21
    assert [run.seed for run in runs[:7]] == [0] * 7 and sweep.seeds_on_disk() == set()
    (run,) = sweep.runs(['mocov2'], [4])
    assert run.work == 3 and run.done() == 0 and run.result() is None
    run.folder.mkdir(parents=True)
    (run.folder / 'last_checkpoint').write_text(f'{run.folder}/epoch_1.pth\n')
    (run.folder.parent / 'seed_old').mkdir()  # a copy that somebody kept
    assert run.done() == 1 and sweep.seeds_on_disk() == {4}
    finish(run, lambda key: 1.0)
    assert run.done() == 3 and run.result()['seed'] == 4  # type: ignore[index]
