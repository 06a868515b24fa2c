"""Whether the hardest negatives are the query's own picture in another file."""

from __future__ import annotations

from mochi_mm.runs.doctor.facts import Facts
from mochi_mm.runs.doctor.finding import Finding, healthy, not_measured, wrong

CHECK = 'near-duplicates among the hardest negatives'
_MOST = 0.05


def near_duplicate_negatives(facts: Facts) -> Finding:
    """Look at the images of the ten hardest negatives of each query, by hash and pixels.

    Wrong where more than one query in twenty has a near-duplicate among them.
    """
    seen = facts.observed
    if seen is None or seen.mined is None:
        return not_measured(CHECK, facts.unobserved if seen is None else seen.missing['mined'])
    mined = seen.mined
    share = mined.queries_with / max(1, mined.queries)
    evidence = [
        f'{mined.queries_with} of {mined.queries} queries have a near-duplicate among their '
        f'{mined.hardest} hardest negatives ({seen.source} and the images)',
        f'{mined.pairs_near} of {mined.pairs} of these negatives, '
        f'{mined.pairs_near / max(1, mined.pairs):.2%}',
    ]
    sentence = f'{share:.1%} of the queries are pushed from a near-duplicate'
    if share > _MOST:
        return wrong(
            CHECK,
            sentence,
            evidence,
            'list them with tools/dataset/near_duplicates.py, and leave them out with exclude=... '
            'of train_dataloader.dataset.',
        )
    return healthy(CHECK, sentence, evidence)
