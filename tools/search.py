"""Find the images of a folder that are nearest to one, by the cosine of their embeddings.

    python tools/search.py INDEX IMAGE [--k 10]
    python tools/search.py INDEX query.jpg --model CONFIG|EXPORT [--checkpoint FILE]
    python tools/search.py INDEX IMAGE --images FOLDER --out page.html

INDEX is a file of tools/embed.py. IMAGE is the path of one of its images, as it stands there, and
is then no neighbor of its own; with --model, which must be what made INDEX, it is any image file.
The search is exact. With --out, a page shows the images; they are read from --images, the folder
that was embedded.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser, file_to_write

    parser = ToolParser(description=__doc__)
    parser.add_argument('index', help='a file of tools/embed.py')
    parser.add_argument('image', help='a path of the index, or any image with --model')
    parser.add_argument('--k', type=int, default=10, help='number of neighbors (10)')
    parser.add_argument('--model', help='what made the index: a checkpoint, an export, a config')
    parser.add_argument('--checkpoint', help='weights for a config')
    parser.add_argument('--size', type=int, help='as for tools/embed.py')
    parser.add_argument('--images', help='the folder that was embedded, for --out')
    parser.add_argument('--out', type=file_to_write, help='also write this page, x.html')
    parser.add_device()
    parser.add_cfg_options()
    parser.add_weights_options()
    args = parser.parse_args(argv)
    if (args.out is None) != (args.images is None):
        parser.error('--out and --images go together: the page shows images of that folder')
    alone = {
        '--checkpoint': args.checkpoint,
        '--size': args.size,
        '--cfg-options': args.cfg_options,
    }
    given = [name for name, value in alone.items() if value not in (None, [])]
    if given and args.model is None:
        parser.error(f'{given[0]} belongs to --model')
    if args.out is not None and args.out.suffix.lower() != '.html':
        parser.error(f'--out: {args.out} is no page; expected a file that ends with .html')
    return args


def embedded(args: argparse.Namespace, embeddings: Any) -> tuple[Any, str]:
    """Return the feature (1, C) of the image, and its path where it is one of the index."""
    import torch

    from mochi_mm.evaluation.embeddings.nearest_images import check_same_encoder, row_of

    if args.model is None:
        row = row_of(embeddings, args.image)
        return torch.from_numpy(embeddings.features[row : row + 1]), args.image
    from mochi_mm.launch.arguments import where_to_compute
    from mochi_mm.launch.feature_inferencer import FeatureInferencer
    from mochi_mm.launch.named_encoder import named_encoder

    if not Path(args.image).is_file():
        raise FileNotFoundError(f'no image at {args.image}; expected an image file.')
    encoder = named_encoder(args)
    check_same_encoder(embeddings, encoder)
    inferencer = FeatureInferencer.of(encoder, where_to_compute(args.device))
    return inferencer(args.image), ''


def main(argv: list[str] | None = None) -> list[tuple[str, float]]:
    """Search, print, draw, and return paths and cosines, nearest first."""
    args = parse_args(argv)
    from mochi_mm.evaluation.embeddings import read_embeddings
    from mochi_mm.evaluation.embeddings.nearest_images import nearest_images
    from mochi_mm.files.shown import shown_path

    embeddings = read_embeddings(args.index)
    feature, name = embedded(args, embeddings)
    found = nearest_images(embeddings, feature, [name], args.k, other=bool(name))
    pairs = list(zip(found.paths[0], found.similarity[0], strict=True))
    for path, cosine in pairs:
        print(f'{cosine:.4f}  {shown_path(path)}')
    if args.out is not None:
        from mochi_mm.datasets.any_images import image_reader
        from mochi_mm.datasets.read_image import read_image
        from mochi_mm.visualization.neighbor_page import write_neighbor_page

        read = image_reader(args.images)
        opened = partial(read, name) if name else partial(read_image, args.image)
        title = f'Nearest to {args.image}'
        note = f'Exact cosine over {len(embeddings.paths)} images, nearest first.'
        write_neighbor_page(args.out, title, note, [(args.image, opened)], [pairs], read)
        print(f'written to {args.out}')
    return pairs


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
