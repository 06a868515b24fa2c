"""Draw images of a folder with their nearest neighbors by embedding, as one page.

    python tools/gallery.py INDEX FOLDER --out gallery.html
    python tools/gallery.py x.npz data/images --rows 24 --k 9 --out gallery.html

INDEX is a file of tools/embed.py, FOLDER what was embedded. The queries are evenly spaced over the
index; the page is one file with small pictures within, and asks for nothing outside.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser, file_to_write

    parser = ToolParser(description=__doc__)
    parser.add_argument('index', help='a file of tools/embed.py')
    parser.add_argument('folder', help='the images that were embedded')
    parser.add_argument('--out', type=file_to_write, required=True, help='the page, x.html')
    parser.add_argument('--rows', type=int, default=24, help='number of queries (24)')
    parser.add_argument('--k', type=int, default=9, help='neighbors of each (9)')
    args = parser.parse_args(argv)
    if args.rows < 1:
        parser.error(f'--rows is {args.rows}; expected at least 1')
    if args.out.suffix.lower() != '.html':
        parser.error(f'--out: {args.out} is no page; expected a file that ends with .html')
    return args


def main(argv: list[str] | None = None) -> int:
    """Draw, and return the number of rows."""
    args = parse_args(argv)
    import numpy as np
    import torch

    from mochi_mm.datasets.any_images import image_reader
    from mochi_mm.evaluation.embeddings import read_embeddings
    from mochi_mm.evaluation.embeddings.nearest_images import nearest_images
    from mochi_mm.visualization.neighbor_page import write_neighbor_page

    embeddings = read_embeddings(args.index)
    number = len(embeddings.paths)
    rows = np.linspace(0, number - 1, min(args.rows, number)).round().astype(int)
    names = [embeddings.paths[row] for row in rows]
    features = torch.from_numpy(embeddings.features[rows])
    found = nearest_images(embeddings, features, names, args.k, other=True)
    read = image_reader(args.folder)
    pairs = [
        list(zip(paths, cosines, strict=True))
        for paths, cosines in zip(found.paths, found.similarity, strict=True)
    ]
    queries = [(name, partial(read, name)) for name in names]
    note = (
        f'{len(names)} of {number} images, evenly spaced, each with its {args.k} nearest others by '
        'cosine; the framed one is the query.'
    )
    write_neighbor_page(args.out, 'Nearest neighbors', note, queries, pairs, read)
    print(f'written to {args.out}')
    return len(names)


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
