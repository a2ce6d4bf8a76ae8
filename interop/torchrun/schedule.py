"""The learning-rate schedule of train.py. It needs no packages, so that it can be tested with Python alone."""

import math


def learning_rate(step, base, warmup, total, min_ratio):
    """Linear warm-up, then half a cosine down to base * min_ratio; constant after step `total`. Steps count from 1."""
    if step < warmup:
        return base * step / max(1, warmup)
    progress = min(1.0, (step - warmup) / max(1, total - warmup))  # beyond 1 the cosine would rise again
    return base * (min_ratio + max(0.0, (1 - min_ratio) * 0.5 * (1 + math.cos(math.pi * progress))))


def average_rate(step, rate, warmup):
    """Decay rate of the moving average after a step. The warm-up is a setting of trm-ts; the official code has none."""
    return min(rate, (1 + step) / (10 + step)) if warmup else rate
