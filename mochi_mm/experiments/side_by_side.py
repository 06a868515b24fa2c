"""Commands that run in processes of their own, some at a time, with the time left."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Task:
    """A command.

    Attributes:
        name: Name in messages.
        command: Words of the command.
        log: File of its output; earlier output is kept.
        work: Amount of work.
        done: Returns how much of that is done, at any time.
        after: Name of a task that has to end first, if it is among them; empty for none.
    """

    name: str
    command: Sequence[str]
    log: Path
    work: float
    done: Callable[[], float]
    after: str = ''


def run_side_by_side(
    tasks: Sequence[Task],
    jobs: int,
    environment: Mapping[str, str],
    tell: Callable[[str], Any],
    finished: Callable[[Task, int], Any] = lambda task, code: None,
    poll: float = 0.5,
    every: float = 60.0,
) -> dict[str, int]:
    """Run every task, ``jobs`` at a time and in order; one that fails stops no other.

    Args:
        tasks: Commands to run.
        jobs: Number of tasks at once.
        environment: Environment of the processes.
        tell: Gets a line when a task ends, and every ``every`` seconds.
        finished: Called with a task that has ended, and its exit code.
        poll: Seconds between two looks.
        every: Seconds between two lines.

    Returns:
        The exit code of each task by name.
    """
    waiting, codes = list(tasks), dict[str, int]()
    running: dict[str, tuple[Task, subprocess.Popen]] = {}
    start, before = time.monotonic(), sum(task.done() for task in tasks)
    told = start
    try:
        while waiting or running:
            while len(running) < jobs and (task := _next(waiting, running)):
                waiting.remove(task)
                running[task.name] = (task, _start(task, environment))
            time.sleep(poll)
            for task, process in list(running.values()):
                if (code := process.poll()) is not None:
                    codes[task.name] = code
                    del running[task.name]
                    told = 0.0
                    outcome = 'done' if code == 0 else f'FAILED (exit code {code}, see {task.log})'
                    tell(f'{task.name}: {outcome}')
                    finished(task, code)
            if time.monotonic() - told >= every and (waiting or running):
                told = time.monotonic()
                tell(progress(tasks, codes, list(running), before, told - start))
    finally:
        for _, process in running.values():
            process.terminate()
        for _, process in running.values():
            process.wait()
    return codes


def _next(waiting: Sequence[Task], running: Mapping[str, Any]) -> Task | None:
    """Return the first task that waits for no other, None where there is none."""
    open_names = {task.name for task in waiting} | set(running)
    return next((task for task in waiting if task.after not in open_names), None)


def _start(task: Task, environment: Mapping[str, str]) -> subprocess.Popen:
    task.log.parent.mkdir(parents=True, exist_ok=True)
    with open(task.log, 'ab') as log:
        return subprocess.Popen(
            list(task.command), stdout=log, stderr=subprocess.STDOUT, env=dict(environment)
        )


def progress(
    tasks: Sequence[Task],
    codes: Mapping[str, int],
    running: Sequence[str],
    before: float,
    seconds: float,
) -> str:
    """Return a line on progress and the time left, from the speed since the start.

    Args:
        tasks: All of them.
        codes: Exit codes of the tasks that have ended.
        running: Names of those that run.
        before: Work that was done at the start.
        seconds: Since the start.
    """
    done, left = 0.0, 0.0
    for task in tasks:
        of_task = task.done()
        done += of_task
        left += 0.0 if task.name in codes else task.work - of_task
    gained = done - before
    time_left = f'about {duration(left * seconds / gained)} left' if gained > 0 else 'time unknown'
    return f'{len(codes)} of {len(tasks)} runs ended, {time_left}; running: {", ".join(running)}'


def duration(seconds: float) -> str:
    """Return a duration as hours and minutes."""
    minutes = round(seconds / 60)
    return f'{minutes // 60} h {minutes % 60:02} min' if minutes >= 60 else f'{minutes} min'
