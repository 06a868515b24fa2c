"""CIFAR-10, open world: five known classes, half of whose images have a label, and five new ones."""

_base_ = ['./cifar10.py', '../open_world.py']

num_known = 5

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
