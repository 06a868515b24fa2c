"""Write the embeddings of all images of a folder to one file, with their paths.

    python tools/embed.py MODEL FOLDER --out x.npz
    python tools/embed.py work_dirs/my_run/backbone_epoch_200.safetensors data/images --out x.npz
    python tools/embed.py CONFIG FOLDER --checkpoint FILE --out x.parquet

MODEL is a checkpoint or an exported backbone of this project, which record what they are; or a
config (a path, or a name of list_models) beside --checkpoint, any file with its backbone. FOLDER
holds images at any depth, in class folders or not, or is a pack. After a kill the same command goes
on and ends in the same bytes; until the file is whole, its shards lie in OUT.partial.
docs/embeddings.md says what is in it; tools/search.py and tools/gallery.py read it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser, file_to_write, seed

    parser = ToolParser(description=__doc__)
    parser.add_argument('model', help='a checkpoint, an exported backbone, or a config')
    parser.add_argument('folder', help='the images: a folder, at any depth, or a pack')
    parser.add_argument('--out', type=file_to_write, required=True, help='x.npz or x.parquet')
    parser.add_argument('--checkpoint', help='weights for a config')
    parser.add_argument('--untrained', action='store_true', help='random weights for a config')
    parser.add_argument('--seed', type=seed, default=0, help='of the random weights (0)')
    parser.add_argument(
        '--size', type=int, help="pixels of the images, in place of the config's pipeline"
    )
    parser.add_argument('--batch-size', type=int, default=64, help='images of a batch (64)')
    parser.add_argument('--workers', type=int, default=2, help='processes that read images (2)')
    parser.add_argument('--exclude', help='a list of images to leave out')
    parser.add_argument(
        '--skip-unreadable', action='store_true', help='leave out what cannot be read, and name it'
    )
    parser.add_device()
    parser.add_cfg_options()
    parser.add_weights_options()
    args = parser.parse_args(argv)
    if args.checkpoint and args.untrained:
        parser.error('--checkpoint and --untrained exclude each other')
    return args


def main(argv: list[str] | None = None) -> int:
    """Embed, say how it goes, and return the number of embeddings."""
    args = parse_args(argv)
    from mochi_mm.evaluation.embeddings.embedding_file import check_suffix

    check_suffix(args.out)
    from mochi_mm.datasets.any_images import any_images
    from mochi_mm.evaluation.embeddings import EmbedSettings, embed_images
    from mochi_mm.launch.arguments import where_to_compute
    from mochi_mm.launch.named_encoder import named_encoder

    encoder = named_encoder(args)
    print(f'{encoder.told}\nimages: {encoder.images}')
    dataset: Any = any_images(args.folder, encoder.transforms, args.exclude, **encoder.reading)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    settings = EmbedSettings(
        args.batch_size, args.workers, where_to_compute(args.device), args.skip_unreadable
    )
    count, skipped = embed_images(encoder, dataset, args.out, settings)
    left = f', {len(skipped)} that cannot be read are left out' if skipped else ''
    print(f'{args.out}: {count} embeddings{left}')
    return count


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
