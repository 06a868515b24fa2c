"""Figures that hooks measure while a run trains, and which way each of them is better."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mochi_mm.registry import nearest

#: Groups of figures of a KNNHook.
_KNN = re.compile(r'knn(_\w+)?')
#: What stands before the first slash of a figure, and the hook that measures it.
MEASURED_BY = {
    'knn': 'KNNHook',
    'analysis': 'AnalysisHook',
    'guard': 'RepresentationGuardHook',
}
_LAYERS = ('backbone', 'neck')
_OF_LAYERS = dict(
    rank='greater',
    lidar='greater',
    decay_from_1='less',
    alignment_uniformity='less',
    uniformity='less',
    **{'alignment/class': 'less', 'alignment/views': 'less'},
)
#: The rule of each figure: ``greater`` or ``less`` is better.
RULES: Mapping[str, str] = {
    'knn/top1': 'greater',
    'knn/top5': 'greater',
    'guard/knn': 'greater',
    'guard/rank': 'greater',
    'guard/uniformity': 'less',
    'guard/stability': 'greater',
    **{f'analysis/{n}/{layer}': r for n, r in _OF_LAYERS.items() for layer in _LAYERS},
}


def measuring_hook(name: str | None) -> str | None:
    """Return the hook that measures a figure; None for what a validation measures."""
    group = (name or '').partition('/')[0]
    return MEASURED_BY.get('knn' if _KNN.fullmatch(group) else group)


def rule_for(name: str, given: str | None) -> str:
    """Return which way a figure is better.

    Args:
        name: Its name in the log.
        given: What a config says; None for the known rule, ``greater`` for a metric of a
            validation.

    Raises:
        ValueError: The opposite of the known rule; no rule for a figure of a hook that none is
            known of.
    """
    group, _, figure = name.partition('/')
    known = RULES.get(f'knn/{figure}' if _KNN.fullmatch(group) else name)
    if known is not None and given not in (None, known):
        raise ValueError(
            f'save_best={name!r} with rule={given!r}: of this figure the {known} is better; leave '
            'rule out.'
        )
    if known is None and given is None and measuring_hook(name):
        close = nearest(name, RULES)
        raise ValueError(
            f'save_best={name!r}: which way this figure of {measuring_hook(name)} is better is not '
            f"known; expected rule='greater' or 'less' beside it, or one of the known ones. "
            f'Nearest: {", ".join(close) or "none"}.'
        )
    return given or known or 'greater'


def offer_figures(runner: Any, figures: Mapping[str, float], start: bool = False) -> None:
    """Give figures of the weights as they are to the hooks that keep the best.

    Args:
        runner: The runner, behind an epoch or at the start.
        figures: By the names of the log; the same on all ranks.
        start: They are of the weights that the run begins with: what has to be exceeded.
    """
    for hook in getattr(runner, 'hooks', ()):
        if hasattr(hook, 'offer'):
            hook.offer(runner, figures, start)
