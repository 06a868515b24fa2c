"""Whether the features spread over more than a few directions."""

from __future__ import annotations

from mochi_mm.runs.doctor.facts import Facts, whole
from mochi_mm.runs.doctor.finding import Finding, healthy, not_measured, wrong

CHECK = 'collapse of dimensions'
_SHARE = 0.05
_LEAST = 1.5
_FIX = (
    'see the batch-norm leak and the loss first. Then: a norm in the neck (model.neck.norm), a '
    'lower optim_wrapper.optimizer.lr or weight_decay, a larger batch or memory, stronger views.'
)


def collapsed_dimensions(facts: Facts) -> Finding:
    """Compare the effective rank of embedding and pooled features with their width.

    The rank (RankMe, exp of the entropy of the singular values) of some training images in
    evaluation mode, or of the newest analysis of the run where there are none. Wrong below 5 % of
    the width, or of the number of images where that is smaller, and in any case below 1.5.
    """
    ranks = dict(facts.observed.ranks) if facts.observed is not None else {}
    source = facts.observed.source if facts.observed is not None else ''
    if not ranks:
        source = 'newest analysis of the work dir'
        ranks = _analyzed(facts)
    if not ranks:
        reason = facts.unobserved if facts.observed is None else 'the model has no features'
        return not_measured(CHECK, f'{reason}, or let an AnalysisHook write the rank')
    evidence, collapsed = [], []
    for layer, (rank, width, rows) in ranks.items():
        limit = max(_LEAST, _SHARE * min(width, rows))
        evidence.append(
            f'{layer}: rank {rank:.1f} of {width}, {rows} images; wrong below {limit:.1f} '
            f'({source})'
        )
        if rank < limit:
            collapsed.append(layer)
    if collapsed:
        sentence = f'the features of {" and ".join(collapsed)} lie along a few directions'
        return wrong(CHECK, sentence, evidence, _FIX)
    return healthy(CHECK, 'features spread over many directions', evidence)


def _analyzed(facts: Facts) -> dict[str, tuple[float, int, int]]:
    """Return rank, width and samples of each layer in the newest analysis that has them."""
    found: dict[str, tuple[float, int, int]] = {}
    for record, arrays in facts.run.analyses:
        for layer in ('backbone', 'neck'):
            rank, values = record['scalars'].get(f'rank/{layer}'), f'singular_values_{layer}'
            if rank is not None and values in arrays:
                samples = whole(record.get('counts', {}).get('samples'))
                width = len(arrays[values])
                found[layer] = (float(rank), width, samples or width)
    return found
