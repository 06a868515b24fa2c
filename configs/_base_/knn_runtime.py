"""Testing by weighted nearest neighbors; nothing is trained."""

_base_ = './default_runtime.py'

test_evaluator = []
