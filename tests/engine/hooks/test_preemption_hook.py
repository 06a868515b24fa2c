"""PreemptionHook: what its handler does to processes that are forked while it is installed."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Iterator
from logging import getLogger
from types import SimpleNamespace

import pytest

from mochi_mm.engine.hooks import CheckpointHook, PreemptionHook


@pytest.fixture
def hook() -> Iterator[PreemptionHook]:
    """A hook that has taken over the signals, and gives them back."""
    taken = PreemptionHook()
    runner = SimpleNamespace(hooks=[CheckpointHook(interval=1)], logger=getLogger('test'))
    taken.before_train(runner)
    yield taken
    taken.after_train(runner)


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGUSR1])
def test_the_process_itself_only_notes_the_signal(hook: PreemptionHook, number: int) -> None:
    signal.raise_signal(number)
    assert hook._asked == number


def test_a_forked_child_dies_of_sigterm(hook: PreemptionHook) -> None:
    """A pool of mmdet's evaluation is ended this way; one that survives hangs the run."""
    child = multiprocessing.get_context('fork').Process(target=time.sleep, args=(60,))
    child.start()
    time.sleep(0.2)
    child.terminate()
    child.join(timeout=20)
    code = child.exitcode
    child.kill()
    assert code == -signal.SIGTERM
    assert hook._asked is None


def _exit_with_handlers_left() -> None:
    both = (signal.SIGTERM, signal.SIGUSR1)
    raise SystemExit(sum(signal.getsignal(number) != signal.SIG_DFL for number in both))


def test_a_forked_child_has_no_handler_in_python(hook: PreemptionHook) -> None:
    """One that goes to sleep on a lock just behind the signal would never get to run it."""
    child = multiprocessing.get_context('fork').Process(target=_exit_with_handlers_left)
    child.start()
    child.join(timeout=20)
    assert child.exitcode == 0
    assert signal.getsignal(signal.SIGTERM) != signal.SIG_DFL  # here it is


def test_a_pool_ends(hook: PreemptionHook) -> None:
    pool = multiprocessing.get_context('fork').Pool(2)
    assert pool.map(abs, [-1, -2, -3]) == [1, 2, 3]
    pool.terminate()
    pool.join()
    assert hook._asked is None


def test_signals_are_given_back(hook: PreemptionHook) -> None:
    taken = signal.getsignal(signal.SIGTERM)
    hook.after_train(SimpleNamespace())
    assert signal.getsignal(signal.SIGTERM) is not taken
