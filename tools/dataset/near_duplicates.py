"""Find near-duplicates in a folder or in a config's training images; list all but one of each.

    python tools/dataset/near_duplicates.py FOLDER --out DIR
    python tools/dataset/near_duplicates.py CONFIG --checkpoint FILE --out DIR

writes  exclude.txt           what goes, for ImageFolder(exclude=...) or PackedImages(exclude=...)
        near_duplicates.csv   what stays, what goes, correlation, and what found the pair
        near_duplicates.html  the same with pictures, in one file
Candidates are found by a hash of 64 bits; with weights also by features: those of a config's
network (--checkpoint), or of a file that records its backbone (--weights). A candidate is a
near-duplicate if its pixels agree but for brightness and a little of the margins. Of each group the
largest image stays, of equal ones the first by name.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

if TYPE_CHECKING:
    from torch import Tensor

    from mochi_mm.datasets.duplicates import Group
    from mochi_mm.evaluation.duplicates import Found

FILES = ('exclude.txt', 'near_duplicates.csv', 'near_duplicates.html')


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser, folder_to_write

    parser = ToolParser(description=__doc__)
    parser.add_argument('images', help='a folder of images, or a config (.py)')
    parser.add_argument('--out', type=folder_to_write, required=True, help='folder of three files')
    parser.add_argument('--checkpoint', help='of the config: search by its features too')
    parser.add_argument('--weights', help='a file that records its backbone: search by it too')
    parser.add_argument('--size', type=int, help='of images for the network (224 with --weights)')
    parser.add_argument('--no-hash', action='store_true', help='search by features alone')
    parser.add_argument('--bits', type=int, help='of 64 that hashes may differ in (12)')
    parser.add_argument('--cosine', type=float, help='least cosine of features (0.9)')
    parser.add_argument(
        '--correlation', type=float, default=0.94, help='least correlation of pixels (0.94)'
    )
    parser.add_argument('--pictures', type=int, default=200, help='groups on the page (200)')
    parser.add_argument('--workers', type=int, default=0, help='processes that decode (0)')
    parser.add_device()
    parser.add_cfg_options()
    parser.add_weights_options()
    args = parser.parse_args(argv)
    args.config = args.images
    is_config = args.images.endswith('.py')
    if args.no_hash and not (args.checkpoint or args.weights):
        parser.error('--no-hash leaves nothing to search by; give --checkpoint or --weights')
    if not is_config and (args.checkpoint or args.cfg_options):
        parser.error('--checkpoint and --cfg-options go with a config; a folder takes --weights')
    if args.checkpoint and args.weights:
        parser.error('--checkpoint and --weights are two networks; expected one of them')
    unread = ['bits'] if args.no_hash else []
    if not (args.checkpoint or args.weights):
        unread = ['cosine', 'size', 'device', 'checkpoint_key', 'allow_other_input']
    given = [name for name in unread if getattr(args, name) not in (None, False)]
    if given:
        parser.error(
            f'--{given[0].replace("_", "-")} is not read in a search by '
            f'{"features" if args.no_hash else "hash"} alone; leave it out'
            f'{"" if args.no_hash else ", or give --checkpoint or --weights"}'
        )
    args.bits = 12 if args.bits is None else args.bits
    args.cosine = 0.9 if args.cosine is None else args.cosine
    for name, least in (('workers', 0), ('pictures', 0), ('size', 1)):
        if getattr(args, name) is not None and getattr(args, name) < least:
            parser.error(f'--{name} is {getattr(args, name)}; expected at least {least}')
    return args


def check_out(out: Path) -> None:
    """Refuse a folder that holds one of the files already, before hours are spent.

    Raises:
        FileExistsError: It does.
    """
    there = [name for name in FILES if (out / name).exists()]
    if there:
        raise FileExistsError(
            f'{out / there[0]} exists; a list may be in use by a config. Name another folder with '
            '--out, or move the file away.'
        )


def open_images(args: argparse.Namespace) -> tuple[Any, Any]:
    """Return the config of the images, whose pipeline is empty, and the whole config or None.

    Raises:
        FileNotFoundError: No such folder or config.
        ValueError: No training images in the config, or some that no list of names can leave out.
    """
    if not args.images.endswith('.py'):
        return dict(type='ImageFolder', data_root=args.images, classes=[]), None

    from mochi_mm.launch.check_config import check_config
    from mochi_mm.launch.measured_config import load_measured
    from mochi_mm.registry import component_name

    cfg = load_measured(args)
    check_config(cfg)
    if cfg.get('train_dataloader') is None:
        raise ValueError(f'{args.images} has no train_dataloader, whose images are searched.')
    images = cfg.train_dataloader.dataset.to_dict()
    kind = component_name(images)
    if kind not in ('ImageFolder', 'PackedImages'):
        raise ValueError(
            f'the training images of {args.images} are a {kind}, which takes no list of names to '
            'leave out; expected ImageFolder or PackedImages. Give the folder of the images.'
        )
    return dict(images, pipeline=[]), cfg


def load_network(args: argparse.Namespace, cfg: Any) -> tuple[Any, list[Any]]:
    """Return the network whose features are taken, and the pipeline of its images.

    Raises:
        ValueError: Weights that do not fit, or no pipeline of one view in the config.
    """
    from mochi_mm.launch.fresh_model import fresh_model

    if args.weights:
        from mochi_mm.export.source import read_backbone_source

        source = read_backbone_source(args.weights)
        mean, std = (list(values) for values in source.normalization())
        model: Any = fresh_model(
            dict(
                type='ImageClassifier',
                backbone=source.module(),
                data_preprocessor=dict(type='ViewDataPreprocessor', mean=mean, std=std),
            ),
            0,
        )
        model.backbone.load_state_dict(source.module().state_dict())
        size = args.size or 224
        side = list(source.image_size() or (size, size))
        return model, [dict(type='Resize', size=side), dict(type='PackInputs')]

    from mochi_mm.files.load_weights import load_backbone

    loader = cfg.get('bank_dataloader') or cfg.get('query_dataloader')
    if loader is None:
        raise ValueError(
            f'{args.images} has neither bank_dataloader nor query_dataloader, so nothing says how '
            'one view of an image is made; add one, as in configs/_base_/datasets.'
        )
    model = fresh_model(cfg.model, 0)
    key = args.checkpoint_key
    print(load_backbone(model, args.checkpoint, args.allow_other_input, checkpoint_key=key))
    resized = [dict(type='Resize', size=[args.size, args.size])] if args.size else []
    return model, [*resized, *loader.dataset.pipeline]


def features_of(args: argparse.Namespace, images: Any, cfg: Any, readable: list[int]) -> Tensor:
    """Return features (M, C), 0 where an image cannot be read."""
    import torch
    from torch.utils.data import DataLoader, Subset, default_collate

    from mochi_mm.evaluation.features import extract_features
    from mochi_mm.launch.arguments import where_to_compute
    from mochi_mm.registry import DATASETS

    model, pipeline = load_network(args, cfg)
    dataset = DATASETS.build(dict(images, pipeline=pipeline))
    loader = DataLoader(
        Subset(dataset, readable), 64, num_workers=args.workers, collate_fn=default_collate
    )
    try:
        found = extract_features(model.to(where_to_compute(args.device)), loader)[0]
    except RuntimeError as error:
        if 'equal size' not in str(error):
            raise
        raise ValueError(
            f'the images come in several sizes, which the pipeline of {args.images} leaves as they '
            'are; expected one. Give --size, such as 32.'
        ) from error
    rows = torch.zeros(len(dataset), found.shape[1])
    rows[readable] = found
    return rows


def write_all(
    args: argparse.Namespace,
    dataset: Any,
    groups: list[Group],
    found: Found,
    summary: str,
    former: set[str],
) -> None:
    """Write the three files, all or none; the list goes on from a ``former`` one."""
    from mochi_mm.datasets.path_list import to_line
    from mochi_mm.files.atomic_file import write_atomically
    from mochi_mm.visualization.duplicate_page import duplicate_page

    names = [dataset.name(i) for i in range(len(dataset))]
    values = {(int(a), int(b)): n for n, (a, b) in enumerate(found.pairs)}
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(('stays', 'goes', 'correlation', 'by_hash', 'by_features'))
    for group in groups:
        for image in group.left_out:
            n = values[min(image, group.kept), max(image, group.kept)]
            numbers = (f'{found.correlations[n]:.4f}', found.by_hash[n], found.by_features[n])
            rows.writerow((to_line(names[group.kept]), to_line(names[image]), *numbers))
    gone = former | {names[image] for group in groups for image in group.left_out}
    correlations = {pair: float(found.correlations[n]) for pair, n in values.items()}
    page = duplicate_page(dataset, groups, names, correlations, summary, args.pictures)
    lines = ''.join(f'{to_line(name)}\n' for name in sorted(gone))
    args.out.mkdir(parents=True, exist_ok=True)
    try:
        for name, text in zip(FILES, (lines, table.getvalue(), page), strict=True):
            content = text.encode(errors='backslashreplace')
            write_atomically(args.out / name, lambda file, content=content: file.write(content))
    except BaseException:
        for name in FILES:
            (args.out / name).unlink(missing_ok=True)
        raise


def main(argv: list[str] | None = None) -> list[Group]:
    """Search, print, write, and return the groups."""
    args = parse_args(argv)
    check_out(args.out)

    from mmengine.registry import init_default_scope

    from mochi_mm.datasets.duplicates import keep_one
    from mochi_mm.datasets.path_list import read_paths
    from mochi_mm.evaluation.duplicates import Limits, find_near_duplicates, read_pictures
    from mochi_mm.registry import DATASETS

    limits = Limits(args.bits, args.cosine, args.correlation)
    init_default_scope('mochi_mm')
    images, cfg = open_images(args)
    dataset = DATASETS.build(images)
    former = read_paths(images['exclude']) if images.get('exclude') else set()
    pictures = read_pictures(dataset, num_workers=args.workers)
    for reason in pictures.unreadable.values():
        print(f'left aside: {reason}')
    features = None
    if args.checkpoint or args.weights:
        readable = [i for i in range(len(dataset)) if i not in pictures.unreadable]
        features = features_of(args, images, cfg, readable)
    found = find_near_duplicates(pictures, features, limits, not args.no_hash, progress=True)
    names = [dataset.name(i) for i in range(len(dataset))]
    groups = keep_one(found.pairs, names, pictures.pixels.tolist())
    gone = sum(len(group.left_out) for group in groups)
    summary = (
        f'{gone} of {len(dataset)} images are near-duplicates of {len(groups)} others: '
        f'{len(found.pairs)} pairs among {found.candidates} candidates'
    )
    print(summary)
    write_all(args, dataset, groups, found, f'{summary}. {images.get("data_root", "")}', former)
    more = f', and the {len(former)} lines of {images["exclude"]}' if former else ''
    print(f"{args.out / FILES[0]} lists what goes{more}: exclude='{args.out / FILES[0]}' in the")
    print(f'data set leaves it out; {args.out / FILES[2]} shows it')
    return groups


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
