"""Stand-in for the official module models.layers, written for the tests of interop/torchrun. See ../README.md."""

import math

import torch
from torch import nn


def _find_multiple(size, multiple):
    """train.py replaces this function; the 256 below is too wide for a small export."""
    return math.ceil(size / multiple) * multiple


class Matrix(nn.Module):
    def __init__(self, rows, columns):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(rows, columns) / columns**0.5)

    def forward(self, x):
        return x @ self.weight.T


class SwiGLU(nn.Module):
    def __init__(self, width, expansion):
        super().__init__()
        inner = _find_multiple(round(expansion * width * 2 / 3), 256)
        self.gate_up_proj = Matrix(2 * inner, width)
        self.down_proj = Matrix(width, inner)

    def forward(self, x):
        gate, up = self.gate_up_proj(x).tensor_split(2, dim=-1)
        return self.down_proj(nn.functional.silu(gate) * up)


def normed(x):
    return x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt()
