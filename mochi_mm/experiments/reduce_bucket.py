"""Averaging of gradients where it can be seen: the hook of data-parallel training."""

# Annotations stay objects here: torch compares them with the types that a hook takes and returns.

import torch
import torch.distributed as dist


def reduce_bucket(state: object, bucket: dist.GradBucket) -> torch.futures.Future[torch.Tensor]:
    """Average a bucket of gradients, as data-parallel training does without a hook."""
    averaged = bucket.buffer().div_(dist.get_world_size())
    work = dist.all_reduce(averaged, async_op=True)
    return work.get_future().then(lambda future: future.value()[0])
