"""What a run cannot do is said before its first iteration."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from torch import nn
from torch.utils.data import BatchSampler

from mochi_mm.datasets.keyed_sampler import KeyedSampler
from mochi_mm.engine.hooks import RunCheckHook
from mochi_mm.launch.runner import build_runner
from mochi_mm.models.heads import ESupConHead
from mochi_mm.models.layers import SplitBatchNorm2d
from mochi_mm.registry import MODELS
from mochi_mm.structures import DataFacts
from tests.toy_runner import NoiseImages, runner_config

EPOCHS = dict(_delete_=True, type='EpochBasedTrainLoop', max_epochs=2)


def loader(size: int, ranks: int, batch: int, drop_last: bool, **settings: Any) -> Any:
    sampler = KeyedSampler(range(size), seed=0, **settings)
    sampler.world_size = ranks
    return SimpleNamespace(batch_sampler=BatchSampler(sampler, batch, drop_last), sampler=sampler)


@pytest.mark.parametrize('batch', [1, 2, 4])
@pytest.mark.parametrize('drop_last', [False, True])
@pytest.mark.parametrize('ranks', [1, 2, 3])
@pytest.mark.parametrize('size', range(6, 14))
def test_ranks_with_different_numbers_of_batches_are_refused(
    size: int, ranks: int, drop_last: bool, batch: int
) -> None:
    found = loader(size, ranks, batch, drop_last, round_up=False)
    counts = set()
    for found.sampler.rank in range(ranks):
        counts.add(len(list(found.batch_sampler)))
    if len(counts) > 1:
        with pytest.raises(ValueError, match=r'train_dataloader\.sampler\.round_up=True'):
            RunCheckHook._check_ranks(found)
    else:
        RunCheckHook._check_ranks(found)
    RunCheckHook._check_ranks(loader(size, ranks, batch, drop_last))


def test_it_looks_before_training() -> None:
    runner = SimpleNamespace(train_dataloader=loader(9, 2, 4, False, round_up=False))
    runner.train_dataloader.batch_size = 4
    with pytest.raises(ValueError, match='2 batches per epoch to some of the 2 ranks and 1'):
        RunCheckHook().before_train(runner)


def warnings_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, accumulated: int, **settings: Any
) -> str:
    """What the hook warns of before 24 iterations of 4 images, with a schedule made for 8."""
    changes = dict(accumulative_counts=accumulated)
    config = runner_config(tmp_path, optim_wrapper=changes, param_scheduler=None)
    config.train_cfg = dict(type='IterBasedTrainLoop', max_iters=24)
    config.train_dataloader.sampler = dict(type='KeyedSampler', shuffle=True, infinite=True)
    config.auto_scale_lr = dict(base_batch_size=8, enable=False)
    config.merge_from_dict(settings)
    runner = build_runner(config)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.logger.addHandler(caplog.handler)
    RunCheckHook().before_train(runner)
    lines = [r.message for r in caplog.records if r.levelno == logging.WARNING]
    return '\n'.join(line for line in lines if 'multiply' in line)


def test_accumulation_shortens_a_schedule_in_iterations(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As documented, to reach the batch that the config is meant for; yet half as many steps."""
    text = warnings_of(tmp_path, caplog, 2)
    assert 'accumulative_counts=2: 24 iterations are 12 optimizer steps' in text
    assert 'multiply train_cfg.max_iters, val_interval, the milestones' in text
    assert text.endswith('by 2')


def test_accumulation_and_scaling_are_one_too_many(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = warnings_of(tmp_path, caplog, 2, **{'auto_scale_lr.enable': True})
    assert 'as if nothing were accumulated; expected one of the two' in text


def test_fewer_images_an_iteration_need_more_of_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = warnings_of(tmp_path, caplog, 1, **{'auto_scale_lr.enable': True})
    assert 'an iteration has 4 images but the schedule of this config is meant for 8' in text
    assert text.endswith('by 2')


@pytest.mark.parametrize('settings', [{'auto_scale_lr.base_batch_size': 4}, {'train_cfg': EPOCHS}])
def test_no_word_on_a_schedule_that_fits(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, settings: dict[str, Any]
) -> None:
    """The batch it is meant for, or a loop of epochs, in which steps are counted by the data."""
    assert warnings_of(tmp_path, caplog, 1, **settings) == ''
    assert 'effective batch: 4 images' in caplog.text


class Asks(nn.Module):
    """A part that wants to know the data."""

    def __init__(self, most: int = 100) -> None:
        super().__init__()
        self.most, self.told = most, []

    def set_data(self, facts: DataFacts) -> None:
        if facts.num_images > self.most:
            raise ValueError(f'{facts.num_images} images are too many')
        self.told.append(facts)


def telling(model: nn.Module, dataset: Any, memory: bool = True) -> None:
    loader = SimpleNamespace(dataset=dataset)
    RunCheckHook(memory)._set_data(SimpleNamespace(model=model, train_dataloader=loader))


def test_every_part_that_asks_is_told_the_facts_of_the_training_set_once() -> None:
    first, second = Asks(), Asks()
    telling(
        nn.Sequential(first, nn.Linear(2, 2), nn.ModuleDict(dict(inner=second))), NoiseImages(7)
    )
    assert len(first.told) == 1 and first.told == second.told
    facts = first.told[0]
    assert facts.num_images == 7 and facts.class_counts.tolist() == [3, 2, 2]
    assert list(facts.classes) == ['a', 'b', 'c'] and bool(facts.labeled.all())


def test_a_smoke_run_tells_of_one_image_of_each_class() -> None:
    """Its few images are not of all classes that a model is made for."""
    head, plain = ESupConHead(5, 4), Asks()
    telling(nn.Sequential(head, plain), NoiseImages(7), memory=False)
    assert plain.told[0].class_counts.tolist() == [1, 1, 1] and plain.told[0].num_images == 7
    with pytest.raises(ValueError, match='5 prototypes is made for 5 classes but .* has 3'):
        telling(head, NoiseImages(7))


def test_nobody_asks_so_nothing_is_counted() -> None:
    looked: list[str] = []

    class Images:
        def __len__(self) -> int:
            looked.append('len')
            return 7

        def __getattr__(self, name: str) -> Any:
            looked.append(name)
            raise AttributeError(name)

    telling(nn.Linear(2, 2), Images())
    assert looked == []
    telling(nn.Sequential(Asks()), Images())
    assert 'labels' in looked and 'len' in looked


@pytest.mark.parametrize(
    ('part', 'message'),
    [
        (dict(type='InstanceBank', length=15, dim=8), 'has 15 rows but the data set 16 images'),
        (dict(type='SampleTable', length=17), 'has 17 rows but the data set 16 images'),
        (Asks(most=15), '16 images are too many'),
    ],
)
def test_a_part_may_refuse_the_data_before_the_first_iteration(
    tmp_path: Path, part: Any, message: str
) -> None:
    config = runner_config(tmp_path)
    runner = build_runner(config)
    runner.model.part = MODELS.build(part) if isinstance(part, dict) else part
    with pytest.raises(ValueError, match=message):
        runner.train()
    assert runner.iter == 0 and not list(tmp_path.glob('*.pth'))


class Norms(nn.Module):
    """What the hook asks of a model: its views, and which norms train."""

    num_views = 2

    def __init__(self, norm: nn.Module, frozen: bool = False) -> None:
        super().__init__()
        self.norm, self.frozen = norm, frozen

    def train(self, mode: bool = True) -> Norms:
        super().train(mode)
        self.norm.train(mode and not self.frozen)
        return self


def look_at_last(
    size: int,
    batch: int,
    drop_last: bool = False,
    model: Any = None,
    ranks: int = 1,
    **settings: Any,
) -> None:
    found = loader(size, ranks, batch, drop_last, **settings)
    found.dataset = range(size)
    model = Norms(nn.BatchNorm1d(3)) if model is None else model
    RunCheckHook._check_last_batch(SimpleNamespace(train_dataloader=found, model=model))


@pytest.mark.parametrize('size', range(1, 14))
@pytest.mark.parametrize('batch', [1, 2, 3, 4, 5])
@pytest.mark.parametrize('ranks', [1, 2, 3])
@pytest.mark.parametrize('round_up', [True, False])
def test_a_batch_of_one_image_is_refused(size: int, batch: int, ranks: int, round_up: bool) -> None:
    """Counted batch by batch, on every rank."""
    sizes = []
    for rank in range(ranks):
        one = loader(size, ranks, batch, False, round_up=round_up)
        one.sampler.rank = rank
        sizes += [len(indices) for indices in one.batch_sampler]
    if 1 in sizes:
        words = 'the last batch of each epoch' if batch > 1 else 'a batch is one image'
        with pytest.raises(ValueError, match=f'{words}.*drop_last=True, or another batch_size'):
            look_at_last(size, batch, ranks=ranks, round_up=round_up)
    else:
        look_at_last(size, batch, ranks=ranks, round_up=round_up)


@pytest.mark.parametrize('norm', [nn.BatchNorm2d(3), nn.SyncBatchNorm(3), SplitBatchNorm2d(3)])
def test_each_kind_of_batch_norm(norm: nn.Module) -> None:
    model = Norms(norm)
    model.eval()
    with pytest.raises(ValueError, match=r'one image \(of 9, train_dataloader.batch_size=4\)'):
        look_at_last(9, 4, model=model)
    assert not model.training and not norm.training  # as they were found


def test_what_takes_a_last_batch_of_one() -> None:
    look_at_last(9, 4, drop_last=True)
    look_at_last(9, 4, infinite=True)
    look_at_last(9, 4, model=Norms(nn.BatchNorm1d(3), frozen=True))  # a linear probe
    look_at_last(9, 4, model=Norms(nn.LayerNorm(3)))
    look_at_last(9, 4, model=nn.BatchNorm2d(3))  # a detector
    with pytest.raises(ValueError, match='a batch is one image'):
        look_at_last(9, 1, drop_last=True)
    with pytest.raises(ValueError, match='a batch is one image'):
        look_at_last(9, 1, infinite=True)


def test_it_is_said_before_the_first_iteration(tmp_path: Path) -> None:
    """17 images in batches of 4 stopped at the end of the first epoch, in torch's words."""
    config = runner_config(tmp_path, size=17, train_dataloader=dict(drop_last=False))
    runner = build_runner(config)
    with pytest.raises(ValueError, match='the last batch of each epoch is one image'):
        runner.train()
    assert runner.iter == 0


def test_a_last_batch_that_a_part_cannot_work_with(tmp_path: Path) -> None:
    """19 images in batches of 8: the last has three, six views."""
    mixers = [dict(type='PairMixing', num=4)]
    heads = {
        r'3 images \(of 19.*num_hard is 8 .* 6 candidates': dict(
            type='NTXentHead', mixing=dict(type='HardNegativeMixing', num_hard=8, mixers=mixers)
        ),
        'num_negatives is 5 .*drop_last=True': dict(type='InvarianceHead', num_negatives=5),
    }
    for number, (message, head) in enumerate(heads.items()):
        loader = dict(drop_last=False, batch_size=8)
        config = runner_config(tmp_path / f'{number}', size=19, train_dataloader=loader)
        keys = ('backbone', 'neck')
        config.model = dict(type='InBatchContrast', head=head, **{k: config.model[k] for k in keys})
        if number:
            config.model.type = 'MoCo'
        runner = build_runner(config)
        with pytest.raises(ValueError, match=message):
            runner.train()
        assert runner.iter == 0


def test_the_memories_of_all_heads_are_compared_with_the_data(
    caplog: pytest.LogCaptureFixture,
) -> None:
    queue = dict(type='FeatureQueue', length=16, dim=8)
    first, second = (
        MODELS.build(dict(type='ContrastiveHead', memory=dict(queue, length=n))) for n in (8, 16)
    )
    runner = SimpleNamespace(
        model=SimpleNamespace(head=first, heads=dict(sup=second)),
        train_dataloader=SimpleNamespace(dataset=range(12)),
        logger=logging.getLogger('test'),
    )
    RunCheckHook()._check_memory(runner)
    (record,) = caplog.records
    assert 'holds 16 keys but the data set only 12 images' in record.getMessage()
    assert record.getMessage().endswith('set model.heads.sup.mask_own_keys=True')
