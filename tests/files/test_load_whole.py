"""What fits of a checkpoint, and what a config says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from mochi_mm.files.load_whole import load_partial, load_whole, partial_names
from tests.files.test_load_weights import assert_backbone, behind, network, save
from tests.models.algorithms.toy import build_moco, moco_config
from tests.toy_runner import runner_config, train


def longer() -> Any:
    """The same encoder before a longer queue."""
    return build_moco(seed=1, head=dict(moco_config()['head'], memory=memory(24)))


def memory(length: int) -> dict[str, Any]:
    return dict(moco_config()['head']['memory'], length=length)


def test_what_fits_of_another_queue_length() -> None:
    saved, model = longer().state_dict(), build_moco(seed=2)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    advice = r"have another shape.*load_partial=\['backbone', 'neck', 'key_encoder'\]"
    with pytest.raises(ValueError, match=advice):
        load_whole(model, saved, 'a.pth', strict=False)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    report = load_partial(model, saved, 'a.pth', partial_names(['backbone', 'neck.']))
    assert report == (
        'load_partial from a.pth: taken backbone (72), neck (4); new in the model, as '
        'initialized, key_encoder (76), head (5); left in the file key_encoder (76), head (5)'
    )
    for name, value in model.state_dict().items():
        taken = name.startswith(('backbone.', 'neck.'))
        assert torch.equal(value, (saved if taken else before)[name]), name


def test_a_part_is_taken_whole_or_not_at_all() -> None:
    saved, model = longer().state_dict(), build_moco(seed=2)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(
        ValueError, match=r'parts of load_partial \(backbone, head\).*another shape'
    ):
        load_partial(model, saved, 'a.pth', partial_names(['backbone', 'head']))
    del saved['neck.layers.0.weight']
    with pytest.raises(ValueError, match='1 of 4 weights are missing, first neck'):
        load_partial(model, saved, 'a.pth', partial_names(['neck']))
    saved['neck.layers.0.weight'] = model.neck.layers[0].weight * float('nan')
    with pytest.raises(ValueError, match='neck.layers.0.weight holds NaN'):
        load_partial(model, saved, 'a.pth', partial_names(['neck']))
    with pytest.raises(ValueError, match=r"names 'bckbone', and no weight.*backbone \(72\)"):
        load_partial(model, saved, 'a.pth', partial_names(['bckbone']))
    with pytest.raises(ValueError, match="names 'backbon', and no weight"):  # names, not letters
        load_partial(model, saved, 'a.pth', partial_names(['backbon']))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize('value', ['backbone', [], [''], ['.'], [3], None, {'backbone': 1}])
def test_what_is_no_list_of_names(value: Any) -> None:
    with pytest.raises(ValueError, match=r'load_partial is .*; expected the beginnings of names'):
        partial_names(value)


def test_of_another_project_the_option_is_named() -> None:
    with pytest.raises(ValueError, match=r'PretrainedHook.*pretrained=FILE in place of load_from'):
        load_whole(build_moco(), behind('', network()), 'a.pth', strict=False)


@pytest.fixture(scope='module')
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with a longer queue and, beside it, an average."""
    other = build_moco(seed=5).state_dict()
    content = dict(state_dict=longer().state_dict(), average=other)
    return save(tmp_path_factory.mktemp('other'), content)


def started(folder: Path, **changes: Any) -> Any:
    from mochi_mm.launch.runner import build_runner

    runner = build_runner(runner_config(folder, **changes))
    runner.load_or_resume()
    return runner


def test_a_run_starts_from_parts(tmp_path: Path, file: Path) -> None:
    config = dict(load_from=str(file), load_partial=['backbone', 'key_encoder'])
    runner = started(tmp_path, **config)
    saved, found = longer().state_dict(), runner.model.state_dict()
    for name, value in found.items():
        if name.startswith(('backbone.', 'key_encoder.')):
            assert torch.equal(value, saved[name]), name
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert 'taken key_encoder (76), backbone (72); new in the model' in log
    assert 'taken from state_dict; the file also holds average (157): checkpoint_key' in log


def test_a_run_starts_from_another_set(tmp_path: Path, file: Path) -> None:
    runner = started(tmp_path, load_from=str(file), checkpoint_key='average')
    for name, value in build_moco(seed=5).state_dict().items():
        assert torch.equal(runner.model.state_dict()[name], value), name


@pytest.mark.parametrize(
    'choice', [dict(load_partial=['backbone']), dict(checkpoint_key='average')]
)
def test_a_resume_takes_all_or_nothing(tmp_path: Path, choice: dict[str, Any]) -> None:
    train(runner_config(tmp_path, max_epochs=1))
    path = str(tmp_path / 'epoch_1.pth')
    with pytest.raises(
        ValueError, match=f'{next(iter(choice))} is .* is to be resumed, which takes'
    ):
        started(tmp_path, load_from=path, resume=True, **choice)


UNREAD = {
    'load_partial': (dict(load_partial=['backbone']), 'no load_from names the file'),
    'load_partial, no list': (dict(load_partial='neck', load_from='a.pth'), 'beginnings of names'),
    'checkpoint_key': (dict(checkpoint_key='ema'), 'neither load_from nor pretrained names'),
}


@pytest.mark.parametrize('kind', UNREAD)
def test_a_choice_that_nothing_reads(tmp_path: Path, kind: str) -> None:
    from mochi_mm.launch.check_surroundings import check_start

    changes, message = UNREAD[kind]
    with pytest.raises(ValueError, match=message):
        check_start(runner_config(tmp_path, **changes))


def test_both_are_options_of_the_command_line() -> None:
    from mochi_mm.launch.config import load_config, parse_options
    from tests.toy_runner import REPOSITORY

    words = ["load_partial=['backbone','neck']", 'load_from=a.pth', 'checkpoint_key=2020']
    path = REPOSITORY / 'configs/mocov2/mocov2_resnet10w025_1xb128-quickstart_shapes.py'
    config = load_config(path, parse_options(words))
    assert config.load_partial == ['backbone', 'neck'] and config.checkpoint_key == '2020'


def test_the_backbone_of_a_probe(tmp_path: Path) -> None:
    """Beside ``pretrained`` too, ``checkpoint_key`` says which weights."""
    net = network(2)
    path = save(tmp_path, dict(student=behind('', network(1)), teacher=behind('', net)))
    hooks = [dict(type='PretrainedHook')]
    config = dict(custom_hooks=hooks, pretrained=str(path), checkpoint_key='student')
    runner = started(tmp_path, **config)
    next(h for h in runner.hooks if type(h).__name__ == 'PretrainedHook').before_train(runner)
    assert_backbone(runner.model.backbone, network(1))
    assert_backbone(runner.model.key_encoder['backbone'], network(1))
