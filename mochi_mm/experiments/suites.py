"""What an evidence sweep compares: networks trained alike, but for their head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Triple = tuple[int, int, int]


@dataclass(frozen=True)
class Setting:
    """One thing that is trained with several seeds.

    Attributes:
        name: In tables and folders.
        title: In sentences.
        config: Path of its config in the repository.
        options: What it changes in it.
        role: ``untrained``, ``baseline``, ``mixing`` or ``oracle``.
        against: Name of the setting that it is compared with, if there is one.
        triple: N, s and s' where it mixes.
    """

    name: str
    title: str
    config: str
    options: dict[str, Any] = field(default_factory=dict)
    role: str = 'baseline'
    against: str = ''
    triple: Triple | None = None


@dataclass(frozen=True)
class Suite:
    """A budget and, by the name of a data set's folder, what is trained on it.

    Attributes:
        epochs: Passes over the images.
        images_per_class: How many of each class are trained on and vote; None takes all.
        num_workers: Loader processes of a run; None leaves the configs'.
        data: The settings.
    """

    epochs: int
    images_per_class: int | None
    num_workers: int | None
    data: dict[str, list[Setting]]


def mixing_options(triple: Triple) -> dict[str, Any]:
    """Return what makes a MoCHi config one of N, s and s'."""
    hard, pairs, queries = triple
    mixers = [
        dict(type=kind, num=num)
        for kind, num in (('PairMixing', pairs), ('QueryMixing', queries))
        if num
    ]
    return {'model.head.num_hard': hard, 'model.head.mixers': mixers}


def settings_of(
    mocov2: str, mochi: str, triples: Sequence[Triple], oracles: tuple[str, str] | None = None
) -> list[Setting]:
    """Return the seven settings of a data set.

    Args:
        mocov2: Config of MoCo-v2.
        mochi: Config of MoCHi.
        triples: N, s and s' of the MoCHi settings; the first is that of the config.
        oracles: Configs of the class oracle of both; None makes them of the others.
    """
    settings = [
        Setting('untrained', 'the untrained network', mocov2, role='untrained'),
        Setting('mocov2', 'MoCo-v2', mocov2),
    ]
    for number, triple in enumerate(triples):
        numbers = '-'.join(map(str, triple))
        options = mixing_options(triple) if number else {}
        title = f'MoCHi ({", ".join(map(str, triple))})'
        settings.append(
            Setting(f'mochi-{numbers}', title, mochi, options, 'mixing', 'mocov2', triple)
        )
    main = settings[2]
    loss, mix = {'model.head.oracle_loss': True}, {'model.head.oracle_mix': True}
    plain, mixed = oracles or (mocov2, mochi)
    return [
        *settings,
        Setting(
            'mocov2-oracle',
            'MoCo-v2 with the class oracle',
            plain,
            {} if oracles else loss,
            'oracle',
            'mocov2',
        ),
        Setting(
            f'{main.name}-oracle',
            f'{main.title} with the class oracle',
            mixed,
            {} if oracles else {**loss, **mix},
            'oracle',
            main.name,
            main.triple,
        ),
    ]


_CPU = 'resnet10w025_1xb256-cosine-6e_cifar10-cpu'
_CIFAR = 'resnet18_1xb512-cosine-200e_cifar10'
_TINY = 'resnet18_1xb256-cosine-200e_tiny-imagenet100'

#: ``cpu``: two cores, within three hours. ``cuda``: the sizes of the configs, as they are.
SUITES = {
    'cpu': Suite(
        epochs=10,
        images_per_class=1500,
        num_workers=0,
        data={
            'cifar10': settings_of(
                f'configs/mocov2/mocov2_{_CPU}.py',
                f'configs/mochi/mochi-256-128-64_{_CPU}.py',
                [(256, 128, 64), (256, 256, 0), (256, 64, 128)],
                (
                    f'configs/mocov2/mocov2_{_CPU}-oracle.py',
                    f'configs/mochi/mochi-256-128-64_{_CPU}-oracle.py',
                ),
            )
        },
    ),
    'cuda': Suite(
        epochs=200,
        images_per_class=None,
        num_workers=None,
        data={
            'cifar10': settings_of(
                f'configs/mocov2/mocov2_{_CIFAR}.py',
                f'configs/mochi/mochi-512-512-128_{_CIFAR}.py',
                [(512, 512, 128), (512, 512, 0), (512, 128, 256)],
            ),
            'tiny_imagenet100': settings_of(
                f'configs/mocov2/mocov2_{_TINY}.py',
                f'configs/mochi/mochi-1024-1024-128_{_TINY}.py',
                [(1024, 1024, 128), (1024, 256, 512), (1024, 128, 256)],
            ),
        },
    ),
}
