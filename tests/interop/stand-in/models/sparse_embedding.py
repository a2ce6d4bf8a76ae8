"""Stand-in for the official module models.sparse_embedding: the puzzle table and its SignSGD. See ../README.md."""

import torch
import torch.distributed as dist
from torch import nn


class PuzzleTable(nn.Module):
    def __init__(self, rows, width, batch):
        super().__init__()
        self.weights = nn.Buffer(torch.zeros(rows, width))
        self.local_weights = nn.Buffer(torch.zeros(batch, width, requires_grad=True), persistent=False)
        self.local_ids = nn.Buffer(torch.zeros(batch, dtype=torch.int32), persistent=False)

    def forward(self, ids):
        if not self.training:
            return self.weights[ids]
        with torch.no_grad():
            self.local_weights.copy_(self.weights[ids])
            self.local_ids.copy_(ids)
        return self.local_weights * 1


class CastedSparseEmbeddingSignSGD_Distributed(torch.optim.Optimizer):
    def __init__(self, buffers, lr, weight_decay, world_size):
        super().__init__(buffers, dict(lr=lr, weight_decay=weight_decay, world_size=world_size))

    @torch.no_grad()
    def step(self):
        (group,) = self.param_groups
        weights, local, ids = group["params"]
        gradients, all_ids = [local.grad], [ids]
        if group["world_size"] > 1:
            gradients = [torch.empty_like(local.grad) for _ in range(group["world_size"])]
            all_ids = [torch.empty_like(ids) for _ in range(group["world_size"])]
            dist.all_gather(gradients, local.grad)
            dist.all_gather(all_ids, ids)
        rows, places = torch.cat(all_ids).unique(return_inverse=True)
        sums = torch.zeros(len(rows), weights.shape[1]).index_add_(0, places, torch.cat(gradients))
        weights[rows] = weights[rows] * (1 - group["lr"] * group["weight_decay"]) - group["lr"] * sums.sign()
