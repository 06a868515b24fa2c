"""Search of a file of embeddings."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mochi_mm.evaluation.embeddings.embedding_file import Embeddings
from mochi_mm.evaluation.encoder import Encoder
from mochi_mm.evaluation.knn import nearest_in_bank
from mochi_mm.registry import nearest


@dataclass(frozen=True)
class Neighbors:
    """Images and those nearest to them.

    Attributes:
        queries: Path of each query.
        paths: Paths of its neighbors, nearest first.
        similarity: Cosine of each of them.
    """

    queries: list[str]
    paths: list[list[str]]
    similarity: list[list[float]]


def nearest_images(
    embeddings: Embeddings, features: Tensor, queries: list[str], k: int, other: bool
) -> Neighbors:
    """Return the k images nearest to each query by exact cosine, nearest first.

    Args:
        embeddings: The images that are searched.
        features: (Q, C) of the queries.
        queries: Their paths.
        k: Number of neighbors.
        other: Leave out the image that has the path of the query.

    Raises:
        ValueError: No other image, fewer than neighbors, or features of another width.
    """
    most = len(embeddings.paths) - other
    if most == 0:
        raise ValueError(
            f'{embeddings.paths[0]!r} is the only image that was embedded; expected an index of '
            'two or more.'
        )
    if not 1 <= k <= most:
        raise ValueError(
            f'{k} neighbors among {most} images; expected 1 to {most}: give another --k.'
        )
    bank = torch.from_numpy(embeddings.features)
    rows = torch.arange(len(bank))
    similarity, found = nearest_in_bank(features, bank, rows, k + other)
    paths, cosines = [], []
    for query, row, values in zip(queries, found.tolist(), similarity.tolist(), strict=True):
        pairs = [(embeddings.paths[i], v) for i, v in zip(row, values, strict=True)]
        pairs = [pair for pair in pairs if not (other and pair[0] == query)][:k]
        paths.append([path for path, _ in pairs])
        cosines.append([cosine for _, cosine in pairs])
    return Neighbors(queries, paths, cosines)


def row_of(embeddings: Embeddings, name: str) -> int:
    """Return the number of the image with this path.

    Raises:
        FileNotFoundError: There is none; names the nearest.
    """
    try:
        return embeddings.paths.index(name)
    except ValueError:
        close = ', '.join(nearest(name, embeddings.paths)) or 'none'
        raise FileNotFoundError(
            f'no image {name!r} among the {len(embeddings.paths)} that were embedded; expected a '
            f'path as it stands there (nearest: {close}), or any image with --model, which embeds '
            'it.'
        ) from None


def check_same_encoder(embeddings: Embeddings, encoder: Encoder) -> None:
    """Refuse a network or images other than those that the embeddings were made by.

    Raises:
        ValueError: Says what differs.
    """
    about, wrong = embeddings.about, []
    if about.get('weights') != encoder.weights:
        wrong.append('other weights')
    if about.get('network') != encoder.network:
        wrong.append(f'another network or normalization ({encoder.network})')
    if about.get('pipeline') != encoder.images:
        wrong.append(f'another pipeline ({encoder.images}; there {about.get("pipeline")})')
    if wrong:
        raise ValueError(
            f'the embeddings were made by {", ".join(wrong)}, so cosines to them mean nothing; '
            'expected the model, checkpoint and size that tools/embed.py was given.'
        )
