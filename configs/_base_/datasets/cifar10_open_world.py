"""CIFAR-10, open world: five known classes, half of whose images have a label, and five new ones.

Validation: the images without a label, which are trained on (transductive, what papers report).
Test: the test images of all ten classes.
"""

_base_ = './cifar10.py'

num_known = 5
labeled_share = 0.5

source_images = dict(type='ImageFolder', data_root='$data_root', split='train')
train_dataloader = dict(
    sampler=dict(_delete_=True, type='TwoStreamSampler'),
    dataset=dict(
        _delete_=True,
        type='InMemory',
        dataset=dict(
            type='OpenWorld',
            dataset='$source_images',
            num_known='$num_known',
            labeled_share='$labeled_share',
        ),
        pipeline='$train_pipeline',
    ),
)
unlabeled_dataloader = dict(
    batch_size=500,
    num_workers=2,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='OpenWorld',
        part='unlabeled',
        dataset='$source_images',
        num_known='$num_known',
        labeled_share='$labeled_share',
        pipeline='$eval_pipeline',
    ),
)
val_dataloader = dict(_copy_='unlabeled_dataloader')
val_evaluator = dict(
    type='OpenWorldAccuracy', num_known='$num_known', prefix='open_world_unlabeled'
)
val_cfg = dict(type='ValLoop')
test_dataloader = dict(_copy_='query_dataloader')
test_evaluator = dict(type='OpenWorldAccuracy', num_known='$num_known', prefix='open_world_test')
test_cfg = dict(type='TestLoop')
