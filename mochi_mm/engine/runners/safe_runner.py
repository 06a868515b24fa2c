"""MMEngine's Runner, with checkpoints as data and a strict, exact resume."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import broadcast_object_list
from mmengine.runner import IterBasedTrainLoop, Runner

from mochi_mm.datasets.loader_timeout import frozen_workers_named, with_timeout
from mochi_mm.distributed.agreement import absent_ranks, is_lost_connection
from mochi_mm.distributed.cpu_group import cpu_group
from mochi_mm.distributed.rows import rank, world_size
from mochi_mm.engine.alone import alone_in_work_dir
from mochi_mm.engine.console import shorten_screen
from mochi_mm.engine.freed_memory import keep_freed_memory
from mochi_mm.engine.hooks.checkpoint_hook import CheckpointHook
from mochi_mm.engine.hooks.preemption_hook import PreemptionHook
from mochi_mm.engine.parameter_names import check_custom_keys
from mochi_mm.engine.resume import check_resume, restore
from mochi_mm.engine.runners.claim_folder import claim_folder
from mochi_mm.engine.runners.naming import naming
from mochi_mm.engine.runners.newest_checkpoint import newest_checkpoint
from mochi_mm.engine.runners.pretrained_files import look_at_pretrained
from mochi_mm.engine.save_run import save_run
from mochi_mm.evaluation.check_counted import check_counted
from mochi_mm.files.checkpoint import local_path, read_checkpoint
from mochi_mm.files.load_start import load_start
from mochi_mm.files.load_weights import load_for_test
from mochi_mm.files.load_whole import check_all, load_partial, load_whole, partial_names
from mochi_mm.files.run_lock import RunLock
from mochi_mm.files.weight_sets import weights_of
from mochi_mm.registry import RUNNERS
from mochi_mm.runs.start_facts import describe_start, write_start
from mochi_mm.utils.class_names import class_names
from mochi_mm.utils.shared_names import resolve
from mochi_mm.utils.unwrap import unwrap

_ENGINE_HOOKS = ('runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint')


@RUNNERS.register_module()
class SafeRunner(Runner):
    """A Runner that reads no file but as data, and continues a run exactly or not at all.

    Differs from MMEngine's in what it does with files: ``load_from``, ``resume`` and pretrained
    weights of the model's parts are read with ``weights_only=True`` and no fallback, nothing in
    them is executed; ``resume`` takes the newest whole checkpoint and refuses one that does not
    fit (the config's ``resume_allow`` lists what may differ, see
    :data:`mochi_mm.runs.allowances.ALLOWANCES`). Arguments as in MMEngine;
    ``RUNNERS.build(config)`` makes one from a config.
    """

    _tested: tuple[str, bool, str | None] | None = None
    run_lock: RunLock | None = None
    _start: dict[str, Any] | None = None

    @classmethod
    def from_cfg(cls, cfg: Any) -> SafeRunner:
        """Build a runner; names that a config shares are looked up, whoever read it."""
        return super().from_cfg(resolve(cfg if isinstance(cfg, Config) else Config(cfg)))

    def setup_env(self, env_cfg: dict[str, Any]) -> None:
        """Set up processes as MMEngine does, and the group that hooks agree in.

        ``env_cfg.keep_freed_memory`` speeds up steps on the CPU, see
        :func:`mochi_mm.engine.freed_memory.keep_freed_memory`.
        """
        super().setup_env(env_cfg)
        if env_cfg.get('keep_freed_memory') and get_device() == 'cpu':
            keep_freed_memory()
        if world_size() > 1:
            cpu_group((env_cfg.get('dist_cfg') or {}).get('timeout'))
        self._timestamp = self._name_of_start()

    def _name_of_start(self) -> str:
        """Return the second of this start, which names its folder; on all ranks the same.

        The engine lets starts of one second share a folder and its logs, and those of one process
        also what it keeps by the name of a run: logger, curves, visualizer. Here the later ones
        take ``_1``, ``_2`` behind the name.
        """
        name = [self.timestamp]
        if rank() == 0:
            name = [claim_folder(Path(self.work_dir), self.timestamp)]
        broadcast_object_list(name)
        return name[0]

    def train(self) -> Any:
        """Train; where other ranks cannot be reached any more, say which.

        Raises:
            RuntimeError: A rank is dead, or did not answer within the timeout
                (``env_cfg.dist_cfg.timeout``, seconds), or no batch came within that of the loader.
            ValueError: Another run is training in the work dir.
        """
        with alone_in_work_dir(self):
            self._start = describe_start(self.work_dir)
            self._write_start()
            try:
                model = self._train()
            except Exception as error:
                self._write_start(error=error)
                raise
            self._write_start(finished=True)
            return model

    def _write_start(self, finished: bool = False, error: Exception | None = None) -> None:
        if rank() == 0:
            try:
                write_start(self._log_dir, self._start or {}, finished, error)
            except OSError as error:
                self.logger.log(logging.WARNING, f'{self._log_dir} does not say: {error}')

    def _train(self) -> Any:
        try:
            with frozen_workers_named():
                return super().train()
        except RuntimeError as error:
            if not is_lost_connection(error):
                raise
            absent = absent_ranks()
            raise RuntimeError(
                f'rank {rank()} lost the others at epoch {self.epoch + 1}, iteration '
                f'{self.iter + 1}; without an answer: {absent or "none, all are there again"}. '
                'Continue with --resume; torchrun --max-restarts=N does so by itself.'
            ) from error
        finally:
            for hook in self.hooks:
                if isinstance(hook, PreemptionHook):
                    hook.give_back()

    def test_from(
        self, path: str, allow_other_input: bool = False, checkpoint_key: str | None = None
    ) -> dict[str, float]:
        """Measure the weights in a file with the config's test loop and return the metrics.

        Args:
            path: File with weights, of any kind that
                :func:`mochi_mm.files.load_weights.load_for_test` takes.
            allow_other_input: Measure weights that were trained on images normalized in another
                way.
            checkpoint_key: Set of weights to take, where the file holds several.

        Raises:
            FileNotFoundError: No such file.
            ValueError: The file does not hold what is to be measured.
        """
        self._tested = path, allow_other_input, checkpoint_key
        metrics: dict[str, float] = self.test()
        return metrics

    def val(self) -> Any:
        """Validate; raises as :meth:`train` does where no batch comes."""
        with frozen_workers_named():
            return super().val()

    def test(self) -> Any:
        """Test; raises as :meth:`train` does where no batch comes."""
        with frozen_workers_named():
            return super().test()

    def register_default_hooks(self, hooks: Mapping[str, Any] | None = None) -> None:
        """Register hooks as MMEngine does; None takes away any of them, not its own six alone."""
        kept = {n: h for n, h in (hooks or {}).items() if h is not None or n in _ENGINE_HOOKS}
        super().register_default_hooks(kept)

    def build_train_loop(self, loop: Any) -> Any:
        """Build the loop; ``by_epoch=True`` gives this project's, which resumes inside an epoch."""
        if isinstance(loop, dict) and loop.get('by_epoch') is True and 'type' not in loop:
            loop = {k: v for k, v in loop.items() if k != 'by_epoch'}
            loop['type'] = 'mochi_mm.EpochBasedTrainLoop'
        built = super().build_train_loop(loop)
        if self._start and not isinstance(built, IterBasedTrainLoop):
            self._start['epoch_length'] = len(built.dataloader)
            self._write_start()
        return built

    def build_logger(self, *args: Any, **settings: Any) -> Any:
        """Build MMEngine's logger; the screen shows long lists by a line, the file has them."""
        logger = super().build_logger(*args, **settings)
        shorten_screen(logger)
        return logger

    def build_optim_wrapper(self, optim_wrapper: Any) -> Any:
        """Build the optimizer; each key of ``paramwise_cfg.custom_keys`` has to be in a name."""
        if isinstance(optim_wrapper, Mapping):
            custom = (optim_wrapper.get('paramwise_cfg') or {}).get('custom_keys') or {}
            check_custom_keys(custom, [n for n, _ in unwrap(self.model).named_parameters()])
        return super().build_optim_wrapper(optim_wrapper)

    @staticmethod
    def build_dataloader(
        dataloader: Any, seed: int | None = None, diff_rank_seed: bool = False
    ) -> Any:
        """Build a loader whose workers outlive a signal that ends the run in good order.

        It waits ``timeout`` seconds for a batch, 900 unless set.
        """
        if isinstance(dataloader, Mapping):
            dataloader = with_timeout(dataloader)
        if isinstance(dataloader, Mapping) and dataloader.get('num_workers'):
            init = dict(type='mochi_mm.start_worker')
            dataloader = {'worker_init_fn': init, **dataloader}
            dataloader.pop('disable_subprocess_warning', None)  # of the engine's own start
        return Runner.build_dataloader(dataloader, seed, diff_rank_seed)

    def load_or_resume(self) -> None:
        """Load ``load_from``, or continue a run.

        ``resume=True`` continues ``load_from``, or the newest whole checkpoint of the work dir if
        that is None; ``resume='auto'`` the newest, and where there is none, starts from the weights
        of ``load_from``: the set that ``checkpoint_key`` names, the parts of ``load_partial``; or
        from those of ``start_from``, see :func:`mochi_mm.files.load_start.load_start`.
        ``restarted=True`` takes, before all that, the newest one that this job wrote.
        """
        if getattr(self, '_has_loaded', False):
            return
        if self._tested is not None:
            self._load_for_test(*self._tested)
            check_counted(self.model, getattr(self.test_loop, 'evaluator', None))
            return
        begin = self._load_from or (self.cfg.get('start_from') or {}).get('weights')
        path = newest_checkpoint(self, own=True) if self.cfg.get('restarted') else None
        if path is None and self._resume and (self._load_from is None or self._resume == 'auto'):
            path = newest_checkpoint(self)
            if path is None:
                start = f'the weights of {begin}' if begin else 'the beginning'
                self.logger.log(
                    logging.WARNING,
                    f'--resume: no checkpoint in {self.work_dir}, training starts from {start}',
                )
        if path is not None:
            if begin is not None:
                named = 'load_from' if self._load_from else 'start_from'
                self.logger.info(f'{named}={begin} is not read, the run goes on from {path}')
            self.resume(path)
        elif self._load_from is not None and self._resume is True:
            self.resume(self._load_from)
        elif self._load_from is not None:
            self.load_checkpoint(self._load_from)
        elif self.cfg.get('start_from'):
            self._start_from(**self.cfg.start_from)
        self._has_loaded = True

    def _load_for_test(self, path: str, allow_other_input: bool, key: str | None) -> None:
        content = self._hear(path, resuming=False, key=key)
        content = {part: content[part] for part in ('state_dict', 'meta') if part in content}
        classes = class_names(self.test_dataloader.dataset)
        self.logger.info(load_for_test(self.model, path, classes, allow_other_input, content))
        self._has_loaded = True

    def _start_from(self, weights: str, **how: Any) -> None:
        self.logger.info(load_start(self.model, weights, **how))
        # Averages of other hooks begin at these weights too.
        begun = dict(state_dict=unwrap(self.model).state_dict(), meta={})
        self._resume = False
        self.call_hook('after_load_checkpoint', checkpoint=begun)

    def load_checkpoint(
        self,
        filename: str,
        map_location: Any = 'cpu',
        strict: bool = False,
        revise_keys: list[Any] | None = None,
    ) -> dict[str, Any]:
        """Load weights and return the content of the file.

        Args:
            filename: A local file.
            map_location: Without effect; weights are read on the CPU and copied.
            strict: Refuse missing and unused weights; otherwise they are a warning.
            revise_keys: As in MMEngine: pairs of pattern and replacement for names.

        Raises:
            FileNotFoundError: No such file.
            ValueError: Not plain data, or weights that do not fit.
        """
        content = self._hear(filename, resuming=False, key=self.cfg.get('checkpoint_key'))
        if revise_keys:
            content['state_dict'] = _revised(content['state_dict'], revise_keys)
        parts = self.cfg.get('load_partial')
        if parts is None:
            self.load_weights(content, str(filename), strict)
        else:
            model, tensors = unwrap(self.model), content['state_dict']
            report = load_partial(model, tensors, str(filename), partial_names(parts))
            self.logger.info(report)
        return content

    def _hear(self, filename: str, resuming: bool, key: str | None = None) -> dict[str, Any]:
        """Read a checkpoint and call the hooks, which ask the runner whether it is a resume."""
        content = read_checkpoint(local_path(filename))
        taken = weights_of(content, str(filename), key)
        if not resuming and taken.told():
            self.logger.info(f'{filename}: {taken.told()}')
        content['state_dict'] = taken.tensors  # where hooks look for the weights
        check_all(content, str(filename))
        self._resume = resuming
        self.call_hook('after_load_checkpoint', checkpoint=content)
        return content

    def load_weights(self, content: Mapping[str, Any], source: str, strict: bool) -> None:
        """Copy the weights in ``content`` into the model, or raise ``ValueError``."""
        report = load_whole(unwrap(self.model), content['state_dict'], source, strict)
        if report is not None:
            self.logger.log(logging.WARNING, report)
        self.logger.info(f'weights loaded from {source}')

    def resume(
        self,
        filename: str,
        resume_optimizer: bool = True,
        resume_param_scheduler: bool = True,
        map_location: Any = 'default',
    ) -> None:
        """Continue the run saved in ``filename``; the further arguments are MMEngine's.

        Raises:
            FileNotFoundError: No such file.
            ValueError: The checkpoint does not fit this run; names every difference and how to
                allow it.
        """
        content = self._hear(filename, resuming=True)
        allowed = tuple(self.cfg.get('resume_allow') or ())
        with naming(str(filename)):
            check_resume(self, content, str(filename), allowed)
        self.load_weights(content, str(filename), strict='weights' not in allowed)
        with naming(str(filename)):
            restore(self, content)
        self._has_loaded = True
        self.logger.info(f'resumed {filename}: epoch {self.epoch}, iteration {self.iter}')

    def save_checkpoint(
        self,
        out_dir: str,
        filename: str,
        file_client_args: dict | None = None,
        save_optimizer: bool = True,
        save_param_scheduler: bool = True,
        meta: dict | None = None,
        by_epoch: bool = True,
        backend_args: dict | None = None,
    ) -> None:
        """Save the run as CheckpointHook does, with its settings; arguments as in MMEngine.

        All ranks must call it together.

        Raises:
            ValueError: Another place than a local folder is asked for; or see :func:`save_run`.
        """
        if file_client_args is not None or backend_args is not None:
            raise ValueError(
                f'save_checkpoint got file_client_args={file_client_args!r}, '
                f'backend_args={backend_args!r}; expected neither: files are written to local '
                'folders.'
            )
        here = dict(epoch=self.epoch + int(by_epoch), iter=self.iter + int(not by_epoch))
        position = {**here, **(meta or {})}
        kept = dict(optimizer=save_optimizer, param_schedulers=save_param_scheduler)
        savers = [hook for hook in self.hooks if isinstance(hook, CheckpointHook)]
        saver = savers[0] if savers else CheckpointHook()
        save_run(
            self,
            saver.writer(self, out_dir),
            filename,
            position['epoch'],
            position['iter'],
            meta,
            tuple(part for part, keep in kept.items() if not keep),
        )

    def _init_model_weights(self) -> None:
        """Initialize as MMEngine does, after a look at the files that parts of other libraries
        will read with its loader, which can run what they hold."""
        look_at_pretrained(unwrap(self.model))
        super()._init_model_weights()


def _revised(tensors: Mapping[str, Any], pairs: list[Any]) -> dict[str, Any]:
    """Return ``tensors`` under names in which each pattern is replaced."""
    for pattern, replacement in pairs:
        tensors = {re.sub(pattern, replacement, name): value for name, value in tensors.items()}
    return dict(tensors)
