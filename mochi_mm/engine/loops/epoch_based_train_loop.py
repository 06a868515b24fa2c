"""Training by epochs that can be taken up in the middle of one."""

from __future__ import annotations

from mmengine import runner as engine
from mmengine.dataset import InfiniteSampler
from torch import nn

from mochi_mm.datasets.keyed_sampler import KeyedSampler
from mochi_mm.engine.run_state import sampler_of
from mochi_mm.registry import LOOPS


@LOOPS.register_module()
class EpochBasedTrainLoop(engine.EpochBasedTrainLoop):
    """MMEngine's loop, which after a resume begins where the epoch was left.

    The samples that were consumed before are not read again. Arguments as in MMEngine.

    Raises:
        ValueError: When run: a sampler without an end, or a run that is taken up inside an epoch
            and whose sampler is no :class:`KeyedSampler`.
    """

    def run(self) -> nn.Module:
        """Train; refuse an epoch that would never end."""
        sampler = sampler_of(self.dataloader)
        if getattr(sampler, 'infinite', False) or isinstance(sampler, InfiniteSampler):
            raise ValueError(
                f'the sampler of train_dataloader, {type(sampler).__name__}, has no end, and '
                'train_cfg counts epochs, so the first would never end. Set '
                'train_dataloader.sampler.infinite=False, or count iterations: train_cfg=dict('
                "type='IterBasedTrainLoop', max_iters=...)."
            )
        return super().run()

    def run_epoch(self) -> None:
        """Train on the batches of this epoch that are left."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        first = self._iter - self._epoch * len(self.dataloader)
        if first:
            self._leave_out(first)
        for index, batch in enumerate(self.dataloader, start=first):
            self.run_iter(index, batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1

    def _leave_out(self, batches: int) -> None:
        sampler = sampler_of(self.dataloader)
        if not isinstance(sampler, KeyedSampler) or self.dataloader.batch_size is None:
            raise ValueError(
                f'the run is at iteration {batches} of an epoch, and with '
                f'{type(sampler).__name__} the consumed samples cannot be left out; use '
                "sampler=dict(type='KeyedSampler') and a fixed batch_size, or resume from a "
                'checkpoint of the end of an epoch.'
            )
        sampler.leave_out(batches * self.dataloader.batch_size)
        self.runner.logger.info(f'epoch {self._epoch + 1} goes on behind its batch {batches}')
