"""What all tests share."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from yapf.yapflib import yapf_api


def pytest_collection_finish(session: pytest.Session) -> None:
    """Leave what the imports made out of every later collection of garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope='session', autouse=True)
def unformatted_configs() -> Iterator[None]:
    """MMEngine formats its config four times a run, which takes as long as a toy training does.

    The text is the same program without. Runs in processes of their own format theirs.
    """
    original = yapf_api.FormatCode
    yapf_api.FormatCode = lambda text, **settings: (text, True)
    yield
    yapf_api.FormatCode = original
