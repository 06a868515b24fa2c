"""CIFAR-10 in training with 40 % wrong labels, beside a data set of CIFAR-10."""

wrong = dict(
    type='NoisyLabels',
    dataset=dict(
        type='ImageFolder',
        data_root='$data_root',
        split='train',
        index_cache='work_dirs/index/cifar10_train.json',
    ),
    share=0.4,
    seed=0,
)
