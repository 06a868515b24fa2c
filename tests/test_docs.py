"""The documents are true: links, paths, commands, code, tables, metafiles; the example runs."""

from __future__ import annotations

import argparse
import ast
import doctest
import importlib.util
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from itertools import dropwhile
from pathlib import Path
from typing import Any

import matplotlib
import pytest
import torch
import yaml
from matplotlib import pyplot
from mmengine.config import Config, DictAction

from mochi_mm.files.text_file import read_json
from mochi_mm.launch.check_config import check_config
from mochi_mm.launch.config import load_config
from mochi_mm.launch.listing.header import FIELDS, read_header
from mochi_mm.launch.listing.written_tables import written
from mochi_mm.launch.runner import build_runner
from mochi_mm.launch.smoke import to_smoke
from mochi_mm.models import mixers
from mochi_mm.registry import DATASETS, MODELS
from tests import toy_runner  # registers NoiseImages

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / 'docs/add_a_method.md'
DOCUMENTS = [
    *(ROOT / name for name in ('README.md', 'CONTRIBUTING.md', 'CHANGELOG.md')),
    *sorted((ROOT / 'docs').glob('*.md')),
    *sorted((ROOT / 'configs').rglob('*.md')),
]
FOLDERS = ('mochi_mm', 'configs', 'tools', 'tests', 'docs', 'results', 'requirements', '.ci')
CONFIGS = sorted(path for path in (ROOT / 'configs').rglob('*.py') if '_base_' not in path.parts)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@dataclass(frozen=True)
class Block:
    """A fenced block of a document, and the file that the line before it says it is."""

    language: str
    text: str
    file: str | None


def blocks(document: Path) -> list[Block]:
    text = document.read_text(encoding='utf-8')
    pattern = r'(?:^`([\w./-]+)`:\n\n)?^```(\w*)\n(.*?)^```$'
    return [Block(m[2], m[3], m[1]) for m in re.finditer(pattern, text, re.M | re.S)]


def prose(document: Path) -> str:
    return re.sub(r'^```.*?^```$', '', document.read_text(encoding='utf-8'), flags=re.M | re.S)


def files_of(document: Path) -> dict[str, str]:
    """What the document tells the reader to write, by path."""
    return {block.file: block.text for block in blocks(document) if block.file}


def headings(document: Path) -> set[str]:
    titles = re.findall(r'^#+ (.+)$', document.read_text(encoding='utf-8'), re.M)
    return {re.sub(r'[^\w -]', '', title.lower()).replace(' ', '-') for title in titles}


@pytest.mark.parametrize('document', DOCUMENTS, ids=named)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r'\]\(([^)\s]+)\)', prose(document)):
        if '://' in target:
            continue
        path, _, anchor = target.partition('#')
        linked = (document.parent / path) if path else document
        assert linked.exists(), target
        assert not anchor or anchor in headings(linked), target


@pytest.mark.parametrize('document', DOCUMENTS, ids=named)
def test_paths_exist(document: Path) -> None:
    """Paths in code marks and in commands, but for files that the reader is to write.

    A command that a record holds is that of its commit, whose tools may have other names today.
    """
    recorded = {read_json(path)['command'] for path in ROOT.glob('results/measured/*.json')}
    shell = ' '.join(block.text for block in blocks(document) if block.language == 'bash')
    marked = re.findall(r'`([^`\n]+)`', prose(document))
    words = [*(word for word in marked if word not in recorded), shell]
    pattern = rf'(?<![\w./-])(?:{"|".join(map(re.escape, FOLDERS))})/[\w./*<>-]*'
    written = files_of(document)
    for path in re.findall(pattern, ' '.join(words)):
        path = path.rstrip('.')
        if path in written or '<' in path:
            continue
        assert any(ROOT.glob(path)) if '*' in path else (ROOT / path).exists(), path


@pytest.mark.parametrize('document', DOCUMENTS, ids=named)
def test_python_blocks_compile(document: Path) -> None:
    for block in blocks(document):
        if block.language == 'python':
            code = compile(block.text, str(document), 'exec')
            assert code.co_code, f'{document}: an empty block'


def commands(text: str) -> Iterator[list[str]]:
    """The words of each command line that runs a tool on a config, from the tool on."""
    for line in text.replace('\\\n', ' ').splitlines():
        words = shlex.split(line, comments=True)
        words = list(dropwhile(lambda word: re.fullmatch(r'[A-Z_]+=\S*', word), words))
        words = words[1:] if words[:1] == ['python'] else words
        if len(words) > 1 and words[0].startswith('tools/') and words[1].endswith('.py'):
            yield words


def options_of(words: list[str]) -> tuple[str, dict[str, Any]]:
    parser = argparse.ArgumentParser()
    parser.add_argument('tool')
    parser.add_argument('config')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={})
    parsed, _ = parser.parse_known_args(words)
    return parsed.config, parsed.cfg_options


@pytest.mark.parametrize('document', DOCUMENTS, ids=named)
def test_commands_name_configs_and_settings_that_exist(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'configs').symlink_to(ROOT / 'configs')
    for name, text in files_of(document).items():
        if name.endswith('.py') and '/' not in name:
            (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    for block in blocks(document):
        for words in commands(block.text) if block.language == 'bash' else ():
            name, options = options_of(words)
            if name not in files_of(document) or '/' not in name:
                config = load_config(name, options)
                check_config(config)
                assert 'model' in config, f'{document}: {name} configures no model'


def test_one_line_settings_exist() -> None:
    """Those that the page of configs offers as one line each, all in one config."""
    path = 'configs/mochi/mochi-1024-1024-128_resnet50_4xb32-cosine-200e_in100.py'
    text = (ROOT / 'docs/configs.md').read_text().partition('## One line each')[2]
    lines = re.findall(r'^\|.*`([\w.]+=[\w.]+)`', text, re.M)
    assert len(lines) >= 5
    _, options = options_of(['tools/train.py', path, '--cfg-options', *lines])
    config = load_config(ROOT / path, options)
    check_config(config)
    assert config.optim_wrapper.type == 'BF16OptimWrapper' and config.compile is True


def test_own_images_as_the_readme_says(tmp_path: Path) -> None:
    text = files_of(ROOT / 'README.md')['my_images.py']
    assert len([line for line in text.splitlines() if line.strip()]) <= 15
    (tmp_path / 'configs').symlink_to(ROOT / 'configs')
    (tmp_path / 'my_images.py').write_text(text)
    for name in ('a.png', 'some/where/b.png'):
        path = tmp_path / 'images' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        toy_runner.NoiseImages(1).image(0).save(path)
    config = load_config(tmp_path / 'my_images.py')
    check_config(config)
    settings = config.train_dataloader.dataset
    settings.update(data_root=str(tmp_path / 'images'), index_cache=str(tmp_path / 'index.json'))
    dataset = DATASETS.build(settings)
    assert dataset.labels.tolist() == [-1, -1]
    views = dataset[1]['inputs']
    assert [tuple(view.shape) for view in views] == [(3, 224, 224)] * 2


def test_the_page_of_plain_pytorch_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Block after block in one namespace, as a reader would paste them."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    texts = [b.text for b in blocks(ROOT / 'docs/plain_pytorch.md') if b.language == 'python']
    assert len([line for line in texts[0].splitlines() if line]) == 10
    names: dict[str, Any] = {'__name__': 'plain_pytorch'}
    for text in texts:
        exec(compile(text, 'docs/plain_pytorch.md', 'exec'), names)
    assert names['iteration'] == 4 and names['loss'].item() > 0
    assert not any(tmp_path.iterdir())


def test_the_page_for_those_who_come_from_others_runs() -> None:
    texts = [b.text for b in blocks(ROOT / 'docs/coming_from.md') if b.language == 'python']
    names: dict[str, Any] = {'__name__': 'coming_from'}
    for text in texts:
        exec(compile(text, 'docs/coming_from.md', 'exec'), names)
    assert len(texts) == 5 and names['losses']['loss_contrast'].item() > 0


NOTEBOOKS = sorted((ROOT / 'docs/notebooks').glob('*.ipynb'))


@pytest.mark.parametrize('notebook', NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run(
    notebook: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cell after cell in one namespace; each says something where its saved output does."""
    matplotlib.use('Agg')
    shown: list[int] = []
    monkeypatch.setattr(pyplot, 'show', lambda: shown.append(len(pyplot.get_fignums())))
    names: dict[str, Any] = {'__name__': notebook.stem}
    cells = [c for c in read_json(notebook)['cells'] if c['cell_type'] == 'code']
    for number, cell in enumerate(cells):
        shown.clear()
        exec(compile(''.join(cell['source']), f'{notebook.name}[{number}]', 'exec'), names)
        saved = [output['output_type'] for output in cell['outputs']]
        assert bool(capsys.readouterr().out) == ('stream' in saved), number
        assert sum(shown) == saved.count('display_data'), number
        pyplot.close('all')
    assert len(cells) >= 4 and len(notebook.read_bytes()) < 200_000


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The files of the worked example, importable as if they lay in the repository."""
    files = files_of(EXAMPLE)
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for folder in (ROOT / 'configs').iterdir():
        (tmp_path / 'configs' / folder.name).symlink_to(folder)
    component = next(name for name in files if name.startswith('mochi_mm/'))
    module = component.removesuffix('.py').replace('/', '.')
    monkeypatch.setattr(mixers, '__path__', [*mixers.__path__, str((tmp_path / component).parent)])
    before = set(MODELS.module_dict)
    yield tmp_path
    sys.modules.pop(module, None)
    for name in set(MODELS.module_dict) - before:
        MODELS.module_dict.pop(name)


def test_the_worked_example_touches_five_files() -> None:
    files = set(files_of(EXAMPLE))
    listed = re.findall(r'^\| `([^`]+)` \|', EXAMPLE.read_text(), re.M)
    assert set(listed) == {*files, 'CHANGELOG.md'} and len(listed) == 5
    exists = [name for name in files if (ROOT / name).exists()]
    assert exists == [], 'the example would overwrite these'


def test_the_worked_example_passes_its_own_test(example: Path) -> None:
    path = next((example / 'tests').rglob('test_*.py'))
    spec = importlib.util.spec_from_file_location('example_test', path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tests = [value for name, value in vars(module).items() if name.startswith('test_')]
    assert len(tests) >= 4
    for test in tests:
        test()


def test_the_worked_example_shows_itself(example: Path) -> None:
    """The example of its docstring runs, and the table of its README is the one of its config."""
    path = next((example / 'mochi_mm').rglob('*.py'))
    module = import_module(path.relative_to(example).with_suffix('').as_posix().replace('/', '.'))
    assert doctest.testmod(module).attempted >= 5 and doctest.testmod(module).failed == 0
    readme = example / 'configs/skewed/README.md'
    assert written(readme, example) == readme.read_text()


def test_the_worked_example_trains(example: Path) -> None:
    path = next((example / 'configs/skewed').glob('*.py'))
    problems = list(docstring_problems(path, example))
    assert problems == []
    config = to_smoke(load_config(path))
    config.model.backbone.width = 0.125
    config.model.neck.update(in_channels=64, hidden_channels=64)
    for name, loader in config.items():
        if name.endswith('_dataloader') and loader is not None:
            loader.dataset = dict(type='NoiseImages', size=8, pipeline=loader.dataset.pipeline)
    config.work_dir, config.experiment_name = str(example / 'run'), f'example_{id(example)}'
    check_config(config)
    runner = build_runner(config)
    runner.train()
    assert type(runner.model.head.mixing.mixers[1]).__name__ == 'SkewedMixing'
    log = runner.message_hub.log_scalars
    assert runner.iter == 2 and len(log['train/loss'].data[0]) == 2
    # Against 4096 random rows, mixtures of two hard ones are often harder than the hardest.
    assert 0 < float(log['train/share_harder'].data[0][0]) < 1


def fields(path: Path) -> Mapping[str, str]:
    """The lines of a config's docstring by their first word."""
    return read_header(path).fields


def docstring_problems(path: Path, root: Path) -> Iterator[str]:
    name, found = path.relative_to(root).as_posix(), fields(path)
    yield from (f'{name}: no line "{field}:"' for field in FIELDS if not found.get(field))
    if name not in found.get('Command', '').split():
        yield f'{name}: its Command runs something else: {found.get("Command")}'


def test_every_config_opens_with_its_fields() -> None:
    assert len(CONFIGS) > 20
    assert [problem for path in CONFIGS for problem in docstring_problems(path, ROOT)] == []


def test_commands_of_configs_are_sound() -> None:
    """The Command of each docstring, as a shell would read it: a tool, this config, settings."""
    for path in CONFIGS:
        (words,) = commands(fields(path)['Command'].replace('\\ ', ''))
        name, options = options_of(words)
        assert (ROOT / words[0]).is_file() and name == named(path), words
        if options:  # tests/test_configs.py loads them all without
            check_config(load_config(path, options))


def test_mochi_configs_state_the_head_alone() -> None:
    for path in (ROOT / 'configs/mochi').glob('*.py'):
        body = ast.parse(path.read_text()).body[1:]
        assert [ast.unparse(node.targets[0]) for node in body if isinstance(node, ast.Assign)] == [
            '_base_',
            'model',
        ], path.name
        model = body[1].value  # type: ignore[attr-defined]
        assert [keyword.arg for keyword in model.keywords] == ['head'], path.name
        assert (body[-1].end_lineno or 0) - body[0].lineno + 1 <= 15, path.name
        base = Config.fromfile(str(path.parent / ast.literal_eval(body[0].value)))  # type: ignore[attr-defined]
        assert base.model.head.type == 'ContrastiveHead', path.name


def test_tables_are_between_the_marks_that_write_them() -> None:
    """Rows of configs, tools and methods; that they are true: tests/launch/listing."""
    for document in DOCUMENTS:
        text = document.read_text(encoding='utf-8')
        by_hand = re.sub(r'^<!-- list: .*?^<!-- end -->$', '', text, flags=re.M | re.S)
        for title in ('| config | expected | measured |', '| command | what it does |'):
            assert title not in by_hand, f'{named(document)}: put <!-- list: ... --> around it'
    for folder in {path.parents[len(path.relative_to(ROOT).parts) - 3] for path in CONFIGS}:
        assert '<!-- list: configs' in (folder / 'README.md').read_text(), named(folder)


def metafiles() -> dict[str, dict[str, Any]]:
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    return {name: yaml.safe_load((ROOT / name).read_text()) for name in index['Import']}


def test_the_index_imports_every_metafile() -> None:
    assert set(metafiles()) == {named(path) for path in (ROOT / 'configs').rglob('metafile.yml')}


def test_metafiles_list_every_config_of_their_folder() -> None:
    for name, content in metafiles().items():
        collections = {item['Name'] for item in content['Collections']}
        for item in content['Collections']:
            assert (ROOT / item['README']).is_file() and item['Paper']['URL'], name
        listed = [model['Config'] for model in content['Models']]
        existing = [named(path) for path in (ROOT / name).parent.glob('*.py')]
        assert sorted(listed) == sorted(existing), name
        for model in content['Models']:
            assert model['In Collection'] in collections
            assert model['Name'] == Path(model['Config']).stem


def test_metafiles_state_what_the_configs_do() -> None:
    for content in metafiles().values():
        for model in content['Models']:
            config, metadata = load_config(ROOT / model['Config']), model['Metadata']
            ranks = int(re.search(r'_(\d+)xb', model['Name'])[1])  # type: ignore[index]
            assert metadata['Batch Size'] == ranks * config.train_dataloader.batch_size
            assert metadata['Epochs'] == config.train_cfg.max_epochs
            measured = fields(ROOT / model['Config'])['Measured']
            unmeasured = re.match('not yet measured', measured)
            assert 'Results' not in model or not unmeasured, model['Name']


def test_the_map_names_every_folder_and_the_hooks_of_every_run() -> None:
    text = (ROOT / 'docs/architecture.md').read_text()
    packages = {
        named(path.parent)
        for path in (ROOT / 'mochi_mm').rglob('__init__.py')
        if '.mim' not in path.parts
    } - {'mochi_mm'}
    assert [name for name in sorted(packages) if f'`{name}/`' not in text] == []
    hooks = load_config(ROOT / 'configs/_base_/default_runtime.py').default_hooks
    rows = [line for line in text.splitlines() if line.startswith('|')]
    assert [
        hook['type']
        for hook in hooks.values()
        if not any(f'`{hook["type"]}`' in row for row in rows)
    ] == []


def family_rows(document: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Suite and cells by title of each row in tables of the suites of the family."""
    lines = document.read_text(encoding='utf-8').splitlines()
    titles: list[str] = []
    for line in lines:
        cells = [cell.strip() for cell in line.strip('|').split('|')]
        if cells[:3] == ['setting', 'untrained', 'trained']:  # written by tools/list.py
            titles = ['method', 'knn, untrained', 'knn, trained', *cells[3:]]
        elif cells[0] in ('method', 'setting') and cells[-1] in ('gain', 'CPU seconds'):
            titles = cells
        elif not line.startswith('|'):
            titles = []
        elif titles and set(cells[0]) != {'-'}:
            cells[0] = re.sub(r'\[(.*)\]\(.*\)', r'\1', cells[0])
            suite = 'cifar10' if 'knn, untrained' in titles else 'coloured'
            yield suite, dict(zip(titles, cells, strict=True))


def test_tables_of_the_family_are_what_was_recorded() -> None:
    rows = list(family_rows(ROOT / 'docs/family.md'))
    assert sum(suite == 'cifar10' for suite, _ in rows) >= 9
    for suite, row in rows:
        record = read_json(ROOT / f'results/measured/family-{suite}-{row["method"]}.json')
        for title, cell in row.items():
            column, _, state = title.partition(', ')
            if state not in ('untrained', 'trained') or column == 'gap':
                continue
            metric = 'knn/top1_k20' if column == 'knn' else f'knn/top1_k20 {column}'
            metric += ' (untrained)' * (state == 'untrained')
            assert cell == f'{record["metrics"][metric]:.1f}', (row['method'], title)


def test_the_reader_of_documents_reads() -> None:
    """What these tests rest on finds what is there."""
    assert len(DOCUMENTS) >= 8 and len(files_of(EXAMPLE)) == 4
    assert len([w for b in blocks(ROOT / 'README.md') for w in commands(b.text)]) >= 6
    assert 'what-a-healthy-run-looks-like' in headings(ROOT / 'configs/mochi/README.md')
    assert options_of(['t', 'c.py', '--cfg-options', 'a.b=True', 'c=4']) == (
        'c.py',
        {'a.b': True, 'c': 4},
    )
