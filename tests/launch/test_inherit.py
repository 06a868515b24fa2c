"""Children and options change what a config shares, wherever it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from mochi_mm.launch.config import load_config
from mochi_mm.launch.options import parse_options

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
CIFAR = CONFIGS / 'mocov2/mocov2_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'
BCCD = CONFIGS / 'transfer/bccd/faster-rcnn_r10w025-c4_600_bccd.py'
PROBE = CONFIGS / 'benchmarks/linear/linear_resnet18_1xb256-step-60e_cifar10.py'


def child(folder: Path, base: Path | str, text: str, name: str = 'child.py') -> Path:
    path = folder / name
    path.write_text(f'_base_ = {str(base)!r}\n{text}\n')
    return path


def roots(node: Any) -> list[Any]:
    """Every data_root below the sections of a run."""
    children = node.values() if isinstance(node, dict) else node
    found = [node['data_root']] if isinstance(node, dict) and 'data_root' in node else []
    for value in children if isinstance(node, (dict, list, tuple)) else ():
        found += roots(value)
    return found


@pytest.mark.parametrize('depth', [1, 3])
def test_a_child_moves_all_data(tmp_path: Path, depth: int) -> None:
    path = CIFAR
    for i in range(depth):
        path = child(tmp_path, path, "data_root = '/mine'" if i == 0 else '', f'{i}.py')
    config = load_config(path)
    # The shared name, three loaders, and two of the kNN hook.
    assert roots(config.to_dict()) == ['/mine'] * 6
    assert config.custom_hooks[0].bank_dataloader == config.bank_dataloader


def test_the_nearest_child_and_then_the_option_win(tmp_path: Path) -> None:
    first = child(tmp_path, CIFAR, "data_root = '/first'", 'first.py')
    second = child(tmp_path, first, "data_root = '/second'", 'second.py')
    assert set(roots(load_config(second).to_dict())) == {'/second'}
    assert set(roots(load_config(second, {'data_root': '/third'}).to_dict())) == {'/third'}
    own = child(tmp_path, first, "query_dataloader = dict(dataset=dict(data_root='/own'))")
    config = load_config(own, {'data_root': '/third'})
    assert config.query_dataloader.dataset.data_root == '/own'
    assert config.custom_hooks[0].query_dataloader.dataset.data_root == '/own'
    assert config.train_dataloader.dataset.data_root == '/third'


def test_a_child_changes_a_shared_pipeline(tmp_path: Path) -> None:
    text = "train_pipeline = [dict(type='MultiView', transforms=[[]], num_views=[2])]"
    config = load_config(child(tmp_path, CIFAR, text))
    assert config.train_dataloader.dataset.pipeline == config.train_pipeline
    assert len(config.train_pipeline) == 1
    config = load_config(child(tmp_path, CIFAR, "view_pipeline = [dict(type='RandomFlip')]"))
    assert config.train_dataloader.dataset.pipeline[0].transforms == [[dict(type='RandomFlip')]]


def test_options_reach_into_shared_lists() -> None:
    config = load_config(
        CIFAR, parse_options(['view_pipeline.0.size=24', 'eval_pipeline.0.extra_keys=[a]'])
    )
    assert config.train_dataloader.dataset.pipeline[0].transforms[0][0].size == 24
    for loader in (config.bank_dataloader, config.custom_hooks[0].query_dataloader):
        assert loader.dataset.pipeline[0].extra_keys == ['a']
    config = load_config(CIFAR, {'train_dataloader.dataset.pipeline.0.num_views': [3]})
    assert config.train_dataloader.dataset.pipeline[0].num_views == [3]
    assert config.train_pipeline[0].num_views == [2]


@pytest.mark.parametrize(
    ('text', 'options'),
    [
        ("query_dataloader = dict(dataset=dict(split='test'))", {}),
        ('', {'query_dataloader.dataset.split': 'test'}),
    ],
)
def test_a_copied_loader_follows(tmp_path: Path, text: str, options: dict[str, Any]) -> None:
    config = load_config(child(tmp_path, CIFAR, text), options)
    assert config.custom_hooks[0].query_dataloader.dataset.split == 'test'
    config = load_config(child(tmp_path, PROBE, text), options)
    assert config.val_dataloader.dataset.split == config.test_dataloader.dataset.split == 'test'


def test_a_copy_may_differ(tmp_path: Path) -> None:
    text = "test_dataloader = dict(batch_size=7, dataset=dict(split='test'))"
    mine = child(tmp_path, PROBE, text)
    for path, options in (
        (mine, {}),
        (
            PROBE,
            parse_options(['test_dataloader.batch_size=7', 'test_dataloader.dataset.split=test']),
        ),
    ):
        config = load_config(path, {**options, 'data_root': '/mine'})
        assert config.test_dataloader.batch_size == 7
        assert config.test_dataloader.dataset.split == 'test'
        assert config.test_dataloader.dataset.data_root == '/mine'
        assert config.val_dataloader.dataset.split == 'val'
        assert config.val_dataloader.batch_size == 500


def test_detection_follows_children_and_options(tmp_path: Path) -> None:
    text = "data_root = '/mine/'\nmetainfo = dict(classes=('a', 'b'))\nscale = (64, 48)"
    path = child(tmp_path, BCCD, text)
    for options, root in (({}, '/mine/'), ({'data_root': '/yours/'}, '/yours/')):
        config = load_config(path, options)
        for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
            dataset = config[name].dataset
            assert dataset.data_root == root and dataset.metainfo.classes == ('a', 'b')
            assert [s['scale'] for s in dataset.pipeline if s['type'] == 'Resize'] == [(64, 48)]
    config = load_config(BCCD, parse_options(['scale=(64,48)', 'metainfo.classes=[a,b]']))
    assert config.test_dataloader.dataset.metainfo.classes == ('a', 'b')
    assert config.train_dataloader.dataset.pipeline[2].scale == (64, 48)


@pytest.mark.parametrize(
    ('path', 'ends'),
    [
        ('mocov2/mocov2_resnet50_8xb32-cosine-200e_in1k.py', [dict(T_max=30, end=30)]),
        (
            'simclr/simclr_resnet50_16xb256-cosine-200e_in1k.py',
            [dict(end=10), dict(T_max=20, end=30)],
        ),
        ('mocov2/mocov2_resnet10w025_1xb128-quickstart_shapes.py', [dict(T_max=30, end=30)]),
        ('cmc/cmc_resnet50w05_4xb32-step-240e_in1k.py', [dict(end=30)]),
        (
            'simclr/simclr_resnet18_1xb512-cosine-1000e_cifar10.py',
            [dict(end=10), dict(T_max=20, end=30)],
        ),
        (
            'supcon/supcon_resnet50_4xb256-cosine-1000e_cifar10.py',
            [dict(end=10), dict(T_max=30, end=30)],
        ),
    ],
)
def test_the_end_of_a_schedule_follows_the_end_of_the_run(
    tmp_path: Path, path: str, ends: list[dict[str, int]]
) -> None:
    by_child = child(tmp_path, CONFIGS / path, 'train_cfg = dict(max_epochs=30)')
    by_option = CONFIGS / path, {'train_cfg.max_epochs': 30}
    for config in (load_config(by_child), load_config(*by_option)):
        for schedule, end in zip(config.param_scheduler, ends, strict=True):
            assert {k: schedule[k] for k in end} == end


def test_the_dump_is_whole_and_can_be_inherited(tmp_path: Path) -> None:
    config = load_config(CIFAR, {'data_root': '/mine', 'train_cfg.max_epochs': 3})
    config.dump(tmp_path / 'dump.py')
    text = (tmp_path / 'dump.py').read_text()
    assert "'$" not in text and '_copy_' not in text and '_base_' not in text
    assert Config.fromfile(str(tmp_path / 'dump.py')).to_dict() == config.to_dict()
    assert load_config(tmp_path / 'dump.py').to_dict() == config.to_dict()
    moved = load_config(tmp_path / 'dump.py', {'data_root': '/new'})
    inherited = load_config(child(tmp_path, 'dump.py', "data_root = '/new'"))
    assert roots(moved.to_dict()) == roots(inherited.to_dict()) == ['/new'] * 6
    other = load_config(tmp_path / 'dump.py', {'query_dataloader.dataset.split': 'test'})
    assert other.custom_hooks[0].query_dataloader.dataset.split == 'test'
    with pytest.raises(ValueError, match=r'train_dataloader\.dataset\.pipeline is a copy'):
        load_config(child(tmp_path, 'dump.py', 'train_pipeline = []'))


OWN = """
data_root = '/base'
flip = [dict(type='RandomFlip')]
views = dict(type='MultiView', transforms=[flip], num_views=[2])
train_dataloader = dict(dataset=dict(data_root=data_root, pipeline=[views]))
bank_dataloader = dict(batch_size=3, dataset=dict(data_root=data_root))
"""


def test_equal_values_that_were_not_copied_stay(tmp_path: Path) -> None:
    text = "root = '/base'\nsize = 8\nmodel = dict(root=root, head=dict(size=8))"
    (tmp_path / 'own.py').write_text(text)
    config = load_config(tmp_path / 'own.py', {'root': '/new'})
    assert config.model.root == '/new' and config.model.head.size == 8
    with pytest.raises(KeyError, match="nothing in this config reads 'size'"):
        load_config(tmp_path / 'own.py', {'size': 9})


def test_copies_that_python_made(tmp_path: Path) -> None:
    """A base in MMEngine's own style: what can follow does, what cannot is named."""
    (tmp_path / 'own.py').write_text(OWN)
    moved = load_config(child(tmp_path, 'own.py', "data_root = '/new'"))
    assert roots(moved.to_dict()) == ['/new'] * 3
    assert roots(load_config(tmp_path / 'own.py', {'data_root': '/new'}).to_dict()) == ['/new'] * 3
    with pytest.raises(
        ValueError, match=r'flip.*train_dataloader\.dataset\.pipeline\.0\.transforms\.0'
    ):
        load_config(child(tmp_path, 'own.py', 'flip = []'))
    with pytest.raises(
        ValueError, match=r'views\.num_views.*train_dataloader\.dataset\.pipeline\.0'
    ):
        load_config(tmp_path / 'own.py', {'views.num_views': [3]})
    hook = "custom_hooks = [dict(type='KNNHook', bank_dataloader={{_base_.bank_dataloader}})]"
    middle = child(tmp_path, 'own.py', hook, 'middle.py')
    assert (
        load_config(middle, {'data_root': '/new'}).custom_hooks[0].bank_dataloader.dataset.data_root
        == '/new'
    )
    for path, options in (
        (middle, {'bank_dataloader.batch_size': 4}),
        (child(tmp_path, 'middle.py', 'bank_dataloader = dict(batch_size=4)'), {}),
    ):
        assert load_config(path, options).custom_hooks[0].bank_dataloader.batch_size == 4
    other = child(tmp_path, 'own.py', hook.replace('bank_dataloader=', 'dataloader='), 'middle.py')
    for path, options in (
        (other, {'bank_dataloader.batch_size': 4}),
        (child(tmp_path, 'middle.py', 'bank_dataloader = dict(batch_size=4)'), {}),
    ):
        with pytest.raises(ValueError, match=r'custom_hooks\.0\.dataloader is a copy'):
            load_config(path, options)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ("data_rooot = '/x'", 'child.py sets data_rooot: nothing.*Nearest: data_root'),
        ('trian_dataloader = dict(batch_size=3)', 'Nearest: train_dataloader'),
        ('probe_pipeline = []', "nothing in this config reads 'probe_pipeline'"),
        ("pretrained = 'x.pth'", 'has no PretrainedHook'),
        ("unused = [dict(type='RandomFlip')]", "as '\\$unused'"),
        ("tta_model = dict(type='MoCo')", "nothing in this config reads 'tta_model'"),
    ],
)
def test_a_name_that_nothing_reads(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises((KeyError, ValueError), match=message):
        load_config(child(tmp_path, CIFAR, text))
    inherited = child(tmp_path, child(tmp_path, CIFAR, text, 'middle.py'), '')
    if 'oo' in text or 'trian' in text:
        with pytest.raises(KeyError, match='middle.py sets'):
            load_config(inherited)
    else:
        load_config(inherited)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['pretrained=/no/such/file'], 'pretrained: nothing.*no PretrainedHook.*load_from'),
        (['probe_pipeline.0.size=3'], "nothing in this config reads 'probe_pipeline'"),
        (['launcher=pytorch'], 'expected --launcher'),
        (['lr=0.1'], r'Nearest: optim_wrapper\.optimizer\.lr'),
        (['max_epochs=3'], r'Nearest: train_cfg\.max_epochs'),
        (['cfg.x=3'], "no setting 'cfg'"),
    ],
)
def test_an_option_that_nothing_reads(options: list[str], message: str) -> None:
    with pytest.raises((KeyError, ValueError), match=message):
        load_config(CIFAR, parse_options(options))


def test_plain_readers_meet_a_reference_and_no_wrong_value() -> None:
    plain = Config.fromfile(str(CIFAR))
    assert plain.train_dataloader.dataset.data_root == '$data_root'
    assert isinstance(plain.train_dataloader.dataset.pipeline, str)


@pytest.mark.parametrize('style', ['import', 'read_base'])
def test_lazy_configs_are_refused(tmp_path: Path, style: str) -> None:
    text = {
        'import': 'from torch.optim import SGD\noptim_wrapper = dict(optimizer=dict(type=SGD))',
        'read_base': 'from mmengine.config import read_base\nwith read_base():\n    import a',
    }[style]
    (tmp_path / 'own.py').write_text(OWN)
    (tmp_path / 'lazy.py').write_text(text)
    for path in (tmp_path / 'lazy.py', child(tmp_path, 'lazy.py', '')):
        with pytest.raises(
            ValueError, match=r'lazy.py is written in .*pure-Python.*custom_imports'
        ):
            load_config(path)


def test_files_that_are_not_there_or_not_python(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match='nearest: .*mocov2_resnet50_8xb32-cosine-200e_in1k.py'
    ):
        load_config(CONFIGS / 'mocov2/mocov2_resnet50_8xb32-cosine-200_in1k.py')
    with pytest.raises(FileNotFoundError, match=r'child.py inherits from .*none.py'):
        load_config(child(tmp_path, 'none.py', ''))
    with pytest.raises(ValueError, match='inherits from itself'):
        load_config(child(tmp_path, 'child.py', ''))
    (tmp_path / 'broken.py').write_text('a = 1\nx = (')
    for path in (tmp_path / 'broken.py', child(tmp_path, 'broken.py', '')):
        with pytest.raises(SyntaxError, match=r"broken\.py, line 2: '\(' was never closed"):
            load_config(path)
    with pytest.raises(ValueError, match='data_root.*cannot inherit|data_root.*single value'):
        load_config(child(tmp_path, CIFAR, 'data_root = dict(a=1)'))
