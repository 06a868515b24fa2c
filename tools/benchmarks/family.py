"""Every method of the family at one small budget, by nearest neighbours, beside untrained networks.

    python tools/benchmarks/family.py [--suite cifar10] [--methods simclr supcon] [--epochs 15]

A method is a config whose name ends as the suite says (cifar10: ``*cifar10-cpu.py``). Network,
batch and schedule are the config's; the budget is ``--epochs`` passes over the first
``--images-per-class`` images of each class. Training runs in float32 in this process. Writes
results.json and table.md to ``--out`` after each method; run it again to go on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

K = 20
TEMPERATURE = 0.07


@dataclass(frozen=True)
class Suite:
    """Which configs are compared, and on what.

    Attributes:
        pattern: End of the names of the configs.
        queries: Column of the table to the name of a data loader in the configs. With two columns
            the table has their difference as well.
    """

    pattern: str
    queries: dict[str, str]


SUITES = {
    'cifar10': Suite('*cifar10-cpu.py', dict(knn='query_dataloader')),
    'coloured': Suite(
        '*coloured-shapes-cpu.py', dict(biased='query_dataloader', unbiased='unbiased_dataloader')
    ),
}


def find_methods(suite: Suite) -> dict[str, Path]:
    """Return the suite's configs by name, the file's name up to its network."""
    paths = sorted((ROOT / 'configs').glob(f'*/{suite.pattern}'))
    return {path.stem.split('_')[0]: path for path in paths}


def link_images(source: Path, target: Path, per_class: int) -> Path:
    """Return a folder of links to the first images of each class, half as many in ``val``."""
    for split, count in (('train', per_class), ('val', max(1, per_class // 2))):
        folders = sorted(path for path in (source / split).iterdir() if path.is_dir())
        for folder in folders:
            links = target / split / folder.name
            links.mkdir(parents=True, exist_ok=True)
            for image in sorted(folder.iterdir())[:count]:
                if not (links / image.name).exists():
                    (links / image.name).symlink_to(image.resolve())
    return target


def _loaders(node: Any) -> list[Any]:
    return [node[name] for name in node if name.endswith('_dataloader') and node[name]]


def make_config(path: Path, args: argparse.Namespace, suite: Suite, work_dir: Path) -> Any:
    """Return the config at ``path`` cut to the budget of ``args``, to run in ``work_dir``."""
    from mochi_mm.utils.check_config import check_config
    from mochi_mm.utils.config import load_config

    options = {}
    if load_config(path).get('data_root'):
        images = args.out / f'images_{args.images_per_class}'
        options['data_root'] = str(link_images(args.data_root, images, args.images_per_class))
    config = load_config(path, options)
    # Rows of images that are not shown would stay random, and easy to tell apart for ever.
    for memory in config.model.head.get('memories', []):
        memory.length = 10 * args.images_per_class
    for loader in _loaders(config):
        loader.update(num_workers=0, persistent_workers=False, pin_memory=False)
        loader.dataset.pop('index_cache', None)
        if 'num_scenes' in loader.dataset:
            part = 1 if loader.dataset.get('split') == 'train' else 2
            loader.dataset.num_scenes = 10 * args.images_per_class // part
    config.custom_hooks = [h for h in config.get('custom_hooks') or [] if h['type'] != 'KNNHook']
    if config.optim_wrapper.type == 'BF16OptimWrapper':
        config.optim_wrapper.type = 'OptimWrapper'
    config.train_cfg.max_epochs = args.epochs
    steps = args.epochs * 10 * args.images_per_class // config.train_dataloader.batch_size
    for schedule in config.param_scheduler:
        if schedule.get('by_epoch', True):
            schedule.update(T_max=args.epochs, end=args.epochs)
        else:
            schedule.end = min(schedule.end, max(1, steps // 5))
    config.default_hooks.checkpoint.update(interval=1, max_keep_ckpts=1)
    config.work_dir, config.log_level = str(work_dir), 'WARNING'
    config.experiment_name = f'{work_dir.name}_{time.time_ns()}'
    config.resume = (work_dir / 'last_checkpoint').is_file()
    check_config(config)
    return config


def untrained(config: Any) -> Any:
    """Return the config's model as it is before the first step."""
    from mmengine.registry import init_default_scope

    from mochi_mm.utils.fresh_model import fresh_model

    init_default_scope('mochi_mm')
    return fresh_model(config.model, config.randomness.seed)


def measure(model: Any, config: Any, suite: Suite) -> dict[str, float]:
    """Return kNN top-1 of ``model`` in percent for each of the suite's query sets."""
    from mmengine.runner import Runner

    from mochi_mm.evaluation.features import extract_features
    from mochi_mm.evaluation.knn_evaluate import knn_accuracy

    def features(loader: str) -> Any:
        built = Runner.build_dataloader(config[loader], seed=0)
        return extract_features(model, built, progress=False, require_labels=True)

    bank = features('bank_dataloader')
    found = {
        column: knn_accuracy(*features(name), *bank, (K,), TEMPERATURE)
        for column, name in suite.queries.items()
    }
    return {column: metrics[f'knn/top1_k{K}'] for column, metrics in found.items()}


def encoder_of(config: Any) -> str:
    """Return what decides the untrained network: its backbone and what it is fed with."""
    model = {k: config.model.get(k) for k in ('backbone', 'data_preprocessor')}
    return json.dumps(model, sort_keys=True, default=str)


def run(name: str, path: Path, args: argparse.Namespace, suite: Suite, record: dict) -> None:
    """Train and measure one method; put both results into ``record``."""
    from mmengine.runner import Runner

    config = make_config(path, args, suite, args.out / name)
    encoder = encoder_of(config)
    if encoder not in record['untrained']:
        record['untrained'][encoder] = measure(untrained(config), config, suite)
    runner = Runner.from_cfg(config)
    start = time.process_time()
    runner.train()
    seconds = time.process_time() - start
    trained = measure(runner.model, config, suite)
    record['methods'][name] = dict(
        config=str(path.relative_to(ROOT)),
        untrained=record['untrained'][encoder],
        trained=trained,
        seconds=round(seconds),
        resumed=bool(config.resume),
    )


def table(record: dict) -> str:
    """Return the results as a Markdown table."""
    columns = list(SUITES[record['suite']].queries)
    titles = ['method']
    for column in columns:
        titles += [f'{column}, untrained', f'{column}, trained', 'gain']
    titles += ['gap, trained'] * (len(columns) == 2) + ['CPU seconds']
    lines = [titles, ['---'] * len(titles)]
    for name, row in record['methods'].items():
        cells = [name]
        for column in columns:
            before, after = row['untrained'][column], row['trained'][column]
            cells += [f'{before:.1f}', f'{after:.1f}', f'{after - before:+.1f}']
        if len(columns) == 2:
            first, second = (row['trained'][column] for column in columns)
            cells.append(f'{first - second:.1f}')
        cells.append(f'{row["seconds"]}' + ' (resumed)' * row['resumed'])
        lines.append(cells)
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines) + '\n'


def write(path: Path, text: str) -> None:
    """Write a file in one step."""
    partial = path.with_name(path.name + '.part')
    partial.write_text(text, encoding='utf-8')
    os.replace(partial, path)


def read_record(args: argparse.Namespace) -> dict:
    """Return the results so far, or an empty record for this budget.

    Raises:
        ValueError: The results in ``--out`` were made with another budget.
    """
    budget = dict(suite=args.suite, epochs=args.epochs, images_per_class=args.images_per_class, k=K)
    from mochi_mm.utils.text_file import read_json

    path = args.out / 'results.json'
    if not path.is_file():
        return dict(budget, untrained={}, methods={})
    record = read_json(path)
    if former := {k: record[k] for k in budget if record[k] != budget[k]}:
        raise ValueError(
            f'{path} was made with {former}, this run asks for {budget}; give the same budget or '
            'another --out.'
        )
    return record


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--suite', choices=list(SUITES), default='cifar10')
    parser.add_argument('--methods', nargs='+', help='names of methods; default: all of the suite')
    parser.add_argument('--epochs', type=int, default=15)
    parser.add_argument('--images-per-class', type=int, default=800)
    parser.add_argument('--data-root', type=Path, default=Path('data/cifar10'))
    parser.add_argument('--out', type=Path, help='default: work_dirs/family/SUITE')
    args = parser.parse_args(argv)
    args.out = (args.out or Path('work_dirs/family') / args.suite).absolute()
    methods = find_methods(SUITES[args.suite])
    args.methods = args.methods or list(methods)
    if unknown := sorted(set(args.methods) - set(methods)):
        parser.error(f'no method {", ".join(unknown)} in {args.suite}; it has {", ".join(methods)}')
    if args.epochs < 1 or args.images_per_class < 1:
        parser.error('--epochs and --images-per-class must be at least 1')
    return args


def main(argv: list[str] | None = None) -> dict:
    """Run what is not done yet; return the record of results."""
    args = parse_args(argv)
    suite = SUITES[args.suite]
    methods = find_methods(suite)
    args.out.mkdir(parents=True, exist_ok=True)
    record = read_record(args)
    for name in args.methods:
        if name in record['methods']:
            continue
        run(name, methods[name], args, suite, record)
        write(args.out / 'results.json', json.dumps(record, indent=2) + '\n')
        write(args.out / 'table.md', table(record))
        print(table(record), flush=True)
    print(table(record))
    return record


if __name__ == '__main__':
    main()
