"""Build and install script.

A built package carries ``configs/``, ``tools/`` and ``model-index.yml`` under ``mochi_mm/.mim``,
where ``mim`` looks for them. They are copied into the build folder only, never into the source
tree. An editable install has none: ``mim`` looks beside the installed metadata, which is elsewhere.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
MIM_FOLDER = Path('mochi_mm', '.mim')
MIM_SOURCES = ('configs', 'tools', 'model-index.yml')
EXTRAS = (
    'det',
    'timm',
    'export',
    'parquet',
    'tensorboard',
    'attacks',
    'faiss',
    'tiff',
    'tests',
    'lint',
    'docs',
)


def read_version() -> str:
    """Return the version by reading its file, so that building imports nothing of the project."""
    text = (ROOT / 'mochi_mm' / 'version.py').read_text(encoding='utf-8')
    found = re.search(r"^__version__ = '([^']+)'$", text, re.MULTILINE)
    if found is None:
        raise RuntimeError("mochi_mm/version.py has no line __version__ = '...'")
    return found.group(1)


def read_requirements(name: str) -> list[str]:
    """Return the requirements in ``requirements/<name>.txt`` without comments and blank lines."""
    text = (ROOT / 'requirements' / f'{name}.txt').read_text(encoding='utf-8')
    lines = (line.split('#', 1)[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def read_extras() -> dict[str, list[str]]:
    """Return the optional requirement groups, and ``all`` of them together."""
    extras = {name: read_requirements(name) for name in EXTRAS}
    extras['all'] = sorted({line for lines in extras.values() for line in lines})
    return extras


class BuildWithMim(build_py):
    """``build_py`` that also places what ``mim`` needs."""

    def run(self) -> None:
        """Build the package, then add ``.mim`` to it."""
        super().run()
        if not self.editable_mode:
            self._copy_mim_files()

    def _mim_files(self) -> dict[Path, Path]:
        """Return {file in the build folder: file in the source tree}."""
        files: dict[Path, Path] = {}
        for source in (ROOT / name for name in MIM_SOURCES):
            for file in [source, *sorted(source.rglob('*'))]:
                if file.is_file() and '__pycache__' not in file.parts:
                    files[Path(self.build_lib) / MIM_FOLDER / file.relative_to(ROOT)] = file
        return files

    def _copy_mim_files(self) -> None:
        shutil.rmtree(Path(self.build_lib) / MIM_FOLDER, ignore_errors=True)
        for target, source in self._mim_files().items():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Return every file that is installed, those for ``mim`` included."""
        outputs = super().get_outputs(include_bytecode)
        return outputs if self.editable_mode else [*outputs, *map(str, self._mim_files())]


def main() -> None:
    """Describe the package to setuptools."""
    readme = ROOT / 'README.md'
    setup(
        name='mochi_mm',
        version=read_version(),
        description='Contrastive pre-training with hard negatives mixed in feature space',
        long_description=readme.read_text(encoding='utf-8') if readme.exists() else '',
        long_description_content_type='text/markdown',
        python_requires='>=3.10',
        packages=find_packages(include=['mochi_mm', 'mochi_mm.*']),
        package_data={
            'mochi_mm': ['py.typed', 'datasets/lists/*.txt', 'visualization/report/page/*']
        },
        install_requires=read_requirements('runtime'),
        extras_require=read_extras(),
        entry_points={'console_scripts': ['mochi-mm = mochi_mm.launch.command.dispatch:main']},
        cmdclass={'build_py': BuildWithMim},
        zip_safe=False,
        classifiers=[
            'Programming Language :: Python :: 3 :: Only',
            'Programming Language :: Python :: 3.10',
            'Programming Language :: Python :: 3.11',
            'Programming Language :: Python :: 3.12',
            'Topic :: Scientific/Engineering :: Artificial Intelligence',
            'Typing :: Typed',
        ],
    )


main()
