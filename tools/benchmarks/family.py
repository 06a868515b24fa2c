"""Every method of the family at one small budget, by nearest neighbours, beside untrained networks.

    python tools/benchmarks/family.py [--suite cifar10] [--methods simclr supcon] [--jobs 2]

A method is a config whose name ends as the suite says (cifar10: ``*cifar10-cpu.py``). Network,
batch and schedule are the config's; the budget is ``--epochs`` passes over the first
``--images-per-class`` images of each class. Each method trains in float32 in a process of its own.
results.json and table.md in ``--out`` are written after each; run it again to go on where it
stopped. A method that fails is named in the table, stops no other, and makes the exit status 1.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from contextlib import suppress
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
                with suppress(FileExistsError):  # another method's process may make it too
                    (links / image.name).symlink_to(image.resolve())
    return target


def _loaders(node: Any) -> list[Any]:
    return [node[name] for name in node if name.endswith('_dataloader') and node[name]]


def make_config(path: Path, args: argparse.Namespace, suite: Suite, work_dir: Path) -> Any:
    """Return the config at ``path`` cut to the budget of ``args``, to run in ``work_dir``."""
    from mochi_mm.launch.check_config import check_config
    from mochi_mm.launch.config import load_config

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

    from mochi_mm.launch.fresh_model import fresh_model

    init_default_scope('mochi_mm')
    return fresh_model(config.model, config.randomness.seed)


def measure(model: Any, config: Any, suite: Suite) -> dict[str, float]:
    """Return kNN top-1 of ``model`` in percent for each of the suite's query sets."""
    from mmengine.runner import Runner

    from mochi_mm.evaluation.features import extract_features
    from mochi_mm.evaluation.knn_evaluate import check_knn_data, knn_accuracy

    def features(loader: Any) -> Any:
        return extract_features(model, loader, progress=False, require_labels=True)

    names = ('bank_dataloader', *suite.queries.values())
    loaders = {name: Runner.build_dataloader(config[name], seed=0) for name in names}
    bank_loader = loaders['bank_dataloader']
    for name in suite.queries.values():
        check_knn_data(bank_loader, loaders[name], K)
    bank = features(bank_loader)
    found = {
        column: knn_accuracy(*features(loaders[name]), *bank, (K,), TEMPERATURE)
        for column, name in suite.queries.items()
    }
    return {column: metrics[f'knn/top1_k{K}'] for column, metrics in found.items()}


def run_method(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """Train and measure one method; return its result, which is written to its folder."""
    from mochi_mm.experiments.benchmark import write_json
    from mochi_mm.experiments.result_record import result_record
    from mochi_mm.launch.runner import build_runner

    suite = SUITES[args.suite]
    path = find_methods(suite)[name]
    # Now: later the tree may be another one.
    origin = result_record('family', str(path.relative_to(ROOT)), {}, name)
    config = make_config(path, args, suite, args.out / name)
    before = measure(untrained(config), config, suite)
    runner = build_runner(config)
    start = time.process_time()
    runner.train()
    seconds = time.process_time() - start
    result = dict(
        untrained=before,
        trained=measure(runner.model, config, suite),
        seconds=round(seconds),
        resumed=bool(config.resume),
        **{key: origin[key] for key in ('config', 'commit', 'hardware', 'versions', 'date')},
    )
    write_json(result_path(args, name), result)
    return result


def result_path(args: argparse.Namespace, name: str) -> Path:
    """Return the file that is there once a method is trained and measured."""
    return args.out / name / 'result.json'


def budget(args: argparse.Namespace) -> dict[str, Any]:
    """Return what makes methods comparable."""
    return dict(suite=args.suite, epochs=args.epochs, images_per_class=args.images_per_class, k=K)


def keep_budget(args: argparse.Namespace) -> None:
    """Write the budget to ``--out``.

    Raises:
        ValueError: What is there was made with another budget.
    """
    from mochi_mm.experiments.benchmark import write_json
    from mochi_mm.files.text_file import read_json

    path = args.out / 'budget.json'
    if path.is_file() and (former := read_json(path)) != budget(args):
        raise ValueError(
            f'{path} was made with {former}, this run asks for {budget(args)}; give the same '
            'budget or another --out.'
        )
    write_json(path, budget(args))


def read_results(args: argparse.Namespace) -> dict[str, Any]:
    """Return what is finished, of this call and of those before it, in the suite's order."""
    from mochi_mm.files.text_file import read_json

    paths = {name: result_path(args, name) for name in find_methods(SUITES[args.suite])}
    return {name: read_json(path) for name, path in paths.items() if path.is_file()}


def table(suite: Suite, methods: dict[str, Any], failed: dict[str, int]) -> str:
    """Return the results as a Markdown table."""
    columns = list(suite.queries)
    titles = ['method']
    for column in columns:
        titles += [f'{column}, untrained', f'{column}, trained', 'gain']
    titles += ['gap, trained'] * (len(columns) == 2) + ['CPU seconds']
    lines = [titles, ['---'] * len(titles)]
    for name, row in methods.items():
        cells = [name]
        for column in columns:
            before, after = row['untrained'][column], row['trained'][column]
            cells += [f'{before:.1f}', f'{after:.1f}', f'{after - before:+.1f}']
        if len(columns) == 2:
            first, second = (row['trained'][column] for column in columns)
            cells.append(f'{first - second:.1f}')
        cells.append(f'{row["seconds"]}' + ' (resumed)' * row['resumed'])
        lines.append(cells)
    for name, code in failed.items():
        lines.append([f'**{name}: failed with exit code {code}**', *[''] * (len(titles) - 1)])
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines) + '\n'


def write_tables(args: argparse.Namespace, failed: dict[str, int]) -> str:
    """Write results.json and table.md with what is finished; return the table."""
    from mochi_mm.experiments.benchmark import write_json
    from mochi_mm.files.atomic_file import write_atomically

    methods = read_results(args)
    text = table(SUITES[args.suite], methods, failed)
    write_json(args.out / 'results.json', dict(budget(args), methods=methods, failed=failed))
    write_atomically(args.out / 'table.md', lambda file: file.write(text.encode()))
    return text


def write_records(args: argparse.Namespace) -> list[Path]:
    """Write what is finished as records that docs/results.md is made from."""
    from mochi_mm.experiments.result_record import result_record, write_record

    again = f'python tools/benchmarks/family.py --suite {args.suite} --epochs {args.epochs} '
    again += f'--images-per-class {args.images_per_class} --methods'
    written = []
    for name, result in read_results(args).items():
        metrics = {}
        for column, value in result['trained'].items():
            title = f'knn/top1_k{K}' if column == 'knn' else f'knn/top1_k{K} {column}'
            metrics[title] = value
            metrics[f'{title} (untrained)'] = result['untrained'][column]
        record = result_record(
            f'weighted kNN, k={K}, temperature {TEMPERATURE}, family at one small budget',
            result['config'],
            metrics,
            f'{name}; {args.epochs} epochs over {args.images_per_class} images of each class',
            f'{again} {name}',
        )
        record.update({key: result[key] for key in ('commit', 'hardware', 'versions', 'date')})
        written.append(args.record / f'family-{args.suite}-{name}.json')
        write_record(written[-1], record)
    return written


def epochs_done(args: argparse.Namespace, name: str) -> int:
    """Return how much of a method's work is on the disk: its epochs, and one for measuring."""
    from mochi_mm.files.checkpoint_folder import epochs_saved

    finished = result_path(args, name).is_file()
    return args.epochs + 1 if finished else epochs_saved(args.out / name)


def run_methods(args: argparse.Namespace) -> dict[str, int]:
    """Run what is not done yet, each in a process of its own; the tables are written after each.

    Returns the exit codes of those that failed, by name.
    """
    from functools import partial

    from mochi_mm.experiments.side_by_side import Task, run_side_by_side

    words = [sys.executable, __file__, '--suite', args.suite, '--epochs', str(args.epochs)]
    words += ['--images-per-class', str(args.images_per_class)]
    words += ['--data-root', str(args.data_root.absolute()), '--out', str(args.out)]
    done = read_results(args)
    tasks = [
        Task(
            name,
            [*words, '--alone', name],
            args.out / name / 'output.log',
            args.epochs + 1,
            partial(epochs_done, args, name),
        )
        for name in args.methods
        if name not in done
    ]
    failed: dict[str, int] = {}

    def finished(task: Task, code: int) -> None:
        if code != 0:
            failed[task.name] = code
        print(write_tables(args, failed), flush=True)

    environment = dict(os.environ, OMP_NUM_THREADS=str(args.threads))
    run_side_by_side(tasks, args.jobs, environment, lambda line: print(line, flush=True), finished)
    return failed


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--suite', choices=list(SUITES), default='cifar10')
    parser.add_argument('--methods', nargs='+', help='names of methods; default: all of the suite')
    parser.add_argument('--epochs', type=int, default=15)
    parser.add_argument('--images-per-class', type=int, default=800)
    parser.add_argument('--data-root', type=Path, default=Path('data/cifar10'))
    parser.add_argument('--out', type=Path, help='default: work_dirs/family/SUITE')
    parser.add_argument('--jobs', type=int, default=1, help='methods side by side (1)')
    parser.add_argument('--threads', type=int, default=1, help='of each method (1)')
    parser.add_argument(
        '--record', type=Path, help='folder for records of the figures, such as results/measured'
    )
    parser.add_argument(
        '--alone', metavar='METHOD', help='this one, in this process; the others are left'
    )
    args = parser.parse_args(argv)
    args.out = (args.out or Path('work_dirs/family') / args.suite).absolute()
    methods = find_methods(SUITES[args.suite])
    args.methods = args.methods or list(methods)
    asked = {*args.methods, *([args.alone] if args.alone else [])}
    if unknown := sorted(asked - set(methods)):
        parser.error(f'no method {", ".join(unknown)} in {args.suite}; it has {", ".join(methods)}')
    for name in ('epochs', 'images_per_class', 'jobs', 'threads'):
        if (value := getattr(args, name)) < 1:
            parser.error(f'--{name.replace("_", "-")} is {value}; expected at least 1')
    return args


def main(argv: list[str] | None = None) -> int:
    """Run what is not done yet; return the exit status."""
    args = parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    keep_budget(args)
    if args.alone:
        run_method(args.alone, args)
        return 0
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    failed = run_methods(args)
    print(write_tables(args, failed))
    if args.record is not None:
        for path in write_records(args):
            print(f'{path} written')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
