"""Measure what pre-training is worth on a folder of images, by accuracy against number of labels.

    python tools/analysis/label_efficiency.py FOLDER --labels 10 50 100 all --out DIR
        --own CHECKPOINT [--public FILE] [--continued CHECKPOINT] [--config CONFIG]

FOLDER holds a folder for each class. Random weights, --public ones (any file that the loader knows,
such as torchvision's or timm's), --own pre-training and --continued pre-training are compared on
one network: that of CONFIG, or the one that the own or continued checkpoint records. Each is
measured by the fast linear probe on several draws of so many labels of each class, the same draws
for all; test images are a share of each class (--test-share), or those of --test FOLDER. Written to
DIR: a picture, a table with one sentence, and the record of every draw.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

FILES = ('label_efficiency.png', 'label_efficiency.md', 'label_efficiency.json')


def labels(text: str) -> str:
    """Return a number of labels of each class, or ``all``.

    Raises:
        argparse.ArgumentTypeError: Neither.
    """
    if text != 'all' and not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(
            f'{text!r} is no number of labels of each class; expected 1 or more, or all'
        )
    return text if text == 'all' else str(int(text))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser, folder_to_write, seed

    parser = ToolParser(description=__doc__)
    parser.add_argument('folder', help='a folder for each class')
    parser.add_argument(
        '--labels', type=labels, nargs='+', default=['10', '50', '100', 'all'], help='of each class'
    )
    parser.add_argument('--out', type=folder_to_write, required=True, help='folder to write to')
    parser.add_argument('--public', help='public weights')
    parser.add_argument('--own', help='a checkpoint of pre-training on such images')
    parser.add_argument('--continued', help='a checkpoint of it that began from public weights')
    parser.add_config('--config', help='says which network and pipeline')
    parser.add_argument('--test', help='test images, a folder for each class')
    parser.add_argument('--test-share', type=float, help='of each class, where no --test (0.2)')
    parser.add_argument('--subsets', type=int, default=5, help='draws of the labels (5)')
    parser.add_argument('--seed', type=seed, default=0, help='of split, draws and random weights')
    parser.add_argument('--size', type=int, help="pixels, in place of the config's pipeline")
    parser.add_argument('--l2', type=float, nargs='+', help='penalties (1e-4 1e-3 1e-2)')
    parser.add_argument('--batch-size', type=int, default=64, help='images of a batch (64)')
    parser.add_argument('--workers', type=int, default=2, help='processes that read images (2)')
    parser.add_device()
    parser.add_cfg_options()
    args = parser.parse_args(argv)
    if args.test is not None and args.test_share is not None:
        parser.error('--test and --test-share exclude each other')
    args.test_share = 0.2 if args.test_share is None else args.test_share
    if not 0 < args.test_share < 1:
        parser.error(f'--test-share is {args.test_share}; expected a share inside (0, 1)')
    for name, least in (('batch_size', 1), ('workers', 0)):
        if getattr(args, name) < least:
            option = name.replace('_', '-')
            parser.error(f'--{option} is {getattr(args, name)}; expected {least} or more')
    if args.subsets < 2:
        parser.error(f'--subsets is {args.subsets}; expected 2 or more, since one has no spread')
    if not (args.config or args.own or args.continued):
        parser.error('nothing says which network: give --config, --own or --continued')
    args.labels = sorted(set(args.labels), key=lambda n: float('inf') if n == 'all' else int(n))
    there = [name for name in FILES if (args.out / name).exists()]
    if there:
        parser.error(f'--out: {args.out / there[0]} exists; expected a new folder')
    return args


def config_of(args: argparse.Namespace) -> Callable[[], Any]:
    """Return a function that returns the config of the one network, fresh at each call."""
    from mochi_mm.launch.config import load_config, parse_options
    from mochi_mm.launch.get_encoder import recorded_config

    if args.config:
        config = load_config(args.config, parse_options(args.cfg_options))
        return lambda: config
    if args.cfg_options:
        raise ValueError('--cfg-options belongs to --config; leave it out, or name a config.')
    return lambda: recorded_config(args.own or args.continued, args.size)


def labeled(folder: str, encoder: Any) -> Any:
    """Return the images of class folders, or of a pack of them.

    Raises:
        ValueError: No classes, a single one, or images without.
    """
    from mochi_mm.datasets.any_images import is_pack
    from mochi_mm.datasets.image_folder import ImageFolder
    from mochi_mm.datasets.packed_images import PackedImages

    kind = PackedImages if is_pack(folder) else ImageFolder
    dataset = kind(folder, pipeline=encoder.transforms, **encoder.reading)
    if len(dataset.classes) < 2 or min(dataset.labels) < 0:
        raise ValueError(
            f'{folder} has {len(dataset.classes)} classes; expected a folder for each of two or '
            'more classes, with images in it: labels are the names of these folders.'
        )
    return dataset


def features_of(encoder: Any, dataset: Any, args: argparse.Namespace, device: str) -> Any:
    """Return features and labels of all images by one network."""
    from torch.utils.data import DataLoader

    from mochi_mm.evaluation.encoder import collate_one_view
    from mochi_mm.evaluation.features import extract_features

    loader: DataLoader = DataLoader(
        dataset, args.batch_size, num_workers=args.workers, collate_fn=collate_one_view
    )
    return extract_features(encoder.model.to(device), loader, require_labels=True)


def measure(args: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the accuracies of every kind of weights, and what they were measured on."""
    import torch
    from mmengine.runner import set_random_seed

    from mochi_mm.datasets.same_images import same_images
    from mochi_mm.datasets.subset import keyed_split
    from mochi_mm.evaluation.linear_classifier import L2_GRID
    from mochi_mm.experiments.label_efficiency import (
        TITLES,
        LabeledFeatures,
        draw_subsets,
        measure_labels,
    )
    from mochi_mm.launch.arguments import where_to_compute
    from mochi_mm.launch.get_encoder import get_encoder
    from mochi_mm.utils.class_names import check_same_classes

    config, device = config_of(args), where_to_compute(args.device)
    files = {name: getattr(args, name, None) for name in TITLES}
    set_random_seed(args.seed)
    encoders = {
        name: get_encoder(config(), file, args.size, own_input=True)
        for name, file in files.items()
        if file or name == 'random'
    }
    images = labeled(args.folder, encoders['random'])
    names = [images.name(i) for i in range(len(images))]
    rows = {name: i for i, name in enumerate(names)}
    tests = None if args.test is None else labeled(args.test, encoders['random'])
    left = names if tests else keyed_split(names, args.test_share, args.seed)[0]
    if tests is not None:
        check_same_classes(images, tests, 'training', 'test')
        if same_images(images, tests):
            raise ValueError(
                f'--test {args.test} holds the training images of {args.folder}; expected other '
                'images. Leave it out, and a share of each class is kept for the test.'
            )
    train = torch.tensor([rows[name] for name in left])
    test = torch.tensor(sorted(set(rows.values()) - set(train.tolist())), dtype=torch.int64)
    subsets = draw_subsets(left, args.labels, args.subsets, args.seed)
    found = {}
    for name, encoder in encoders.items():
        print(f'{TITLES[name]}: {encoder.told}', flush=True)
        x, y = features_of(encoder, images, args, device)
        x_test, y_test = (
            (x[test], y[test]) if tests is None else features_of(encoder, tests, args, device)
        )
        features = LabeledFeatures(x[train], y[train], x_test, y_test)
        found[name] = measure_labels(features, subsets, args.l2 or L2_GRID, device)
    about = dict(
        folder='/'.join(Path(args.folder).resolve().parts[-2:]),
        images=len(left),
        test_images=len(y_test),
        classes=len(images.classes),
        seed=args.seed,
        weights={name: dict(file=files[name], digest=e.weights) for name, e in encoders.items()},
        pipeline=encoders['random'].images,
    )
    return found, about


def write(args: argparse.Namespace, found: dict[str, Any], about: dict[str, Any]) -> str:
    """Write picture, table and record, and return the text of the table."""
    import json

    from mochi_mm.experiments.label_efficiency import TITLES, label_sentence, label_table
    from mochi_mm.experiments.result_record import result_record
    from mochi_mm.files.atomic_file import write_atomically
    from mochi_mm.visualization.label_curves import draw_label_curves

    sentence = label_sentence(found)
    note = (
        f'{about["images"]} training images of {about["classes"]} classes, {about["test_images"]} '
        f'test images; fast linear probe; mean and standard deviation over {args.subsets} draws of '
        'the labels, the same for all weights. The interval is over these draws alone: other test '
        'images and another pre-training are not in it.'
    )
    text = f'{label_table(found)}\n{sentence}\n\n{note}\n'
    everything = about['images'] / about['classes']
    positions = {name: everything if name == 'all' else int(name) for name in args.labels}
    curves = {TITLES[name]: values for name, values in found.items()}
    picture = draw_label_curves(curves, positions, f'Labels and accuracy: {about["folder"]}')
    means = {
        f'{name}/top1_{count}': sum(values) / len(values)
        for name, by_count in found.items()
        for count, values in by_count.items()
    }
    protocol = f'label efficiency, fast linear probe, {args.subsets} draws'
    record = result_record(protocol, args.config or '', means, args.own or args.continued or '')
    record.update(sentence=sentence, draws=found, about=about)
    args.out.mkdir(parents=True, exist_ok=True)
    parts = (picture, text.encode(), (json.dumps(record, indent=2) + '\n').encode())
    for name, content in zip(FILES, parts, strict=True):
        write_atomically(args.out / name, lambda file, content=content: file.write(content))
    return text


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """Measure, write, print, and return the accuracies of every draw."""
    args = parse_args(argv)
    found, about = measure(args)
    print(f'\n{write(args, found, about)}\nwritten to {args.out}')
    return found


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
