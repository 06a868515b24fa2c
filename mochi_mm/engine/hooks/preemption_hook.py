"""Clean stop of a run when the scheduler asks for it."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

from mmengine.hooks import Hook

from mochi_mm.distributed.agreement import any_rank
from mochi_mm.distributed.rows import rank
from mochi_mm.engine.hooks.checkpoint_hook import CheckpointHook
from mochi_mm.engine.run_state import has_stepped
from mochi_mm.registry import HOOKS

#: What the process ends with after it has saved: EX_TEMPFAIL, "try again later".
EXIT_PREEMPTED = 75
#: The same after Ctrl-C, which asks nobody to start the run again: as shells number it.
EXIT_INTERRUPTED = 128 + signal.SIGINT
_SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)
_FIRST_INTERRUPT = (
    b'\nCtrl-C: this iteration is finished and the run saved, then it ends; once more ends it at '
    b'once, without saving\n'
)


class _Note:
    """A handler that keeps the number of the signal that came.

    Args:
        speaks: Say on stderr what the first Ctrl-C does.
    """

    def __init__(self, speaks: bool = False) -> None:
        self.number: int | None = None
        self.process, self.speaks = os.getpid(), speaks

    def __call__(self, number: int, frame: Any) -> None:
        if os.getpid() == self.process:
            self.number = number
            if number == signal.SIGINT:
                # The second needs no turn of the interpreter, which may wait for another rank.
                signal.signal(signal.SIGINT, signal.SIG_DFL)
                if self.speaks:
                    os.write(2, _FIRST_INTERRUPT)
            return
        # A child in which the signal came before _forget.
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


_found: dict[int, Any] = {}  # what stood there before any run of this process came
_ignoring: list[bool] = []  # filled where this process is on its way out and ignores all


def _is_deaf_to(number: int) -> bool:
    """Return whether the process was started with Ctrl-C ignored, and stays so."""
    return number == signal.SIGINT and _found.get(number) == signal.SIG_IGN


def _forget() -> None:
    # A forked child inherits the handler, and whoever forked it ends it by SIGTERM: mmdet's
    # evaluation waits for its pool to die. A handler in Python runs only when the interpreter gets
    # a turn, which it does not where the signal came just before the child went to sleep on a
    # lock; the default action needs no turn.
    for number in _SIGNALS:
        if isinstance(signal.getsignal(number), _Note) or _ignoring:
            signal.signal(number, signal.SIG_IGN if _is_deaf_to(number) else signal.SIG_DFL)


_held = threading.local()


def _hold() -> None:
    # A signal between the fork and _forget would be noted for a handler that is then gone, and
    # dropped: the child would outlive it. Blocked, it waits.
    _held.mask = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)


def _release() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _held.mask)


def _begin_as_child() -> None:
    _forget()
    _release()


os.register_at_fork(before=_hold, after_in_parent=_release, after_in_child=_begin_as_child)


@HOOKS.register_module()
class PreemptionHook(Hook):
    """Finish the step, save and exit with code 75, or 130, on SIGTERM, SIGUSR1 or Ctrl-C.

    A handler only notes the signal, and once all is saved all are ignored until the process is
    gone. A second Ctrl-C before that ends the process at once, without saving. After each iteration
    the ranks agree on whether any of them was told to leave, so that all stop behind the same one;
    with accumulated gradients, behind the optimizer's next step. 130 is for Ctrl-C, and 75 asks to
    be started again, as ``tools/slurm_train.sh`` does. A run that was started with SIGINT ignored,
    as a shell starts a job in the background, goes on ignoring it: that Ctrl-C was meant for the
    job in the foreground. At the end all handlers are again what was found.

    Args:
        interval: Iterations between two agreements; one rank alone never waits.

    Raises:
        ValueError: ``interval`` below 1; when training starts: there is no CheckpointHook.
        OSError: At the signal: the disk does not take the checkpoint.
    """

    priority = 'LOWEST'

    def __init__(self, interval: int = 1) -> None:
        if interval < 1:
            raise ValueError(f'interval is {interval}; expected a number of iterations >= 1.')
        self.interval = interval
        self._note = _Note()
        self._leaving = False
        self._former: dict[int, Any] = {}
        self._saver: CheckpointHook | None = None

    def before_train(self, runner: Any) -> None:
        """Register handlers for the three signals."""
        savers = [hook for hook in runner.hooks if isinstance(hook, CheckpointHook)]
        if not savers:
            raise ValueError(
                'PreemptionHook saves through CheckpointHook, and the run has none; keep '
                'default_hooks.checkpoint or set default_hooks.preemption=None.'
            )
        self.give_back()  # of a run before, in this process
        self._saver, self._note, self._leaving = savers[0], _Note(speaks=not rank()), False
        if not (isinstance(signal.getsignal(signal.SIGTERM), _Note) or _ignoring):
            # None is a handler of a library in C, which Python cannot put back.
            here = {number: signal.getsignal(number) for number in _SIGNALS}
            _found.update((n, signal.SIG_DFL if h is None else h) for n, h in here.items())
        # Else a run before gave nothing back, and nobody reads its note.
        if threading.current_thread() is not threading.main_thread():
            runner.logger.warning('signals cannot be handled outside of the main thread')
            return
        _ignoring.clear()
        self._former = dict(_found)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN if _is_deaf_to(number) else self._note)

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Save and leave, if any rank was asked to."""
        if not self._leaving and (runner.iter + 1) % self.interval == 0:
            self._leaving = any_rank(self._note.number is not None)
        if not self._leaving or self._saver is None or not has_stepped(runner):
            return
        done = runner.iter + 1
        self._saver.save(runner, runner.epoch, done, f'iter_{done}')
        asked = self._note.number
        # Behind this all have saved: launchers end the other ranks as soon as one has left.
        code = EXIT_INTERRUPTED if any_rank(asked == signal.SIGINT) else EXIT_PREEMPTED
        name = 'another rank' if asked is None else signal.Signals(asked).name
        runner.logger.info(
            f'{name}: saved behind iteration {done}, leaving with code {code}; '
            'continue with --resume'
        )
        self._ignore()
        raise SystemExit(code)

    def _ignore(self) -> None:
        """Let no further signal end the process with another code; a handler would not do.

        The interpreter takes its handlers away before it ends, but leaves what is ignored.
        """
        for number in self._former:
            signal.signal(number, signal.SIG_IGN)
            _ignoring.append(True)
        self._former.clear()  # nothing to give back: what comes behind this is the end

    def after_train(self, runner: Any) -> None:
        """Restore the former handlers of the signals."""
        self.give_back()

    def give_back(self) -> None:
        """Put the former handlers back; a run that ends by an error calls it as well."""
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former.clear()
