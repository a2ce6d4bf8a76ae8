"""Stand-in for the official module models.recursive_reasoning.trm: TRM with the MLP over the sequence. See ../../README.md."""

import torch
from torch import nn

from models.layers import Matrix, SwiGLU, normed
from models.sparse_embedding import PuzzleTable


class Table(nn.Module):
    def __init__(self, rows, width):
        super().__init__()
        self.embedding_weight = nn.Parameter(torch.randn(rows, width) / width**0.5)


class Head(Matrix):
    def __init__(self, width):
        super().__init__(2, width)
        self.bias = nn.Parameter(torch.full((2,), -5.0))

    def forward(self, x):
        return super().forward(x) + self.bias


class Block(nn.Module):
    def __init__(self, length, width, expansion):
        super().__init__()
        self.mlp_t = SwiGLU(length, expansion)
        self.mlp = SwiGLU(width, expansion)

    def forward(self, h):
        t = h.mT
        h = normed(t + self.mlp_t(t)).mT
        return normed(h + self.mlp(h))


class Net(nn.Module):
    def __init__(self, blocks):
        super().__init__()
        self.layers = nn.ModuleList(blocks)

    def forward(self, h):
        for block in self.layers:
            h = block(h)
        return h


class Inner(nn.Module):
    def __init__(self, c):
        super().__init__()
        width = c["hidden_size"]
        self.slots = c["puzzle_emb_len"]
        length = c["seq_len"] + self.slots
        self.embed_tokens = Table(c["vocab_size"], width)
        self.lm_head = Matrix(c["vocab_size"], width)
        self.q_head = Head(width)
        self.L_level = Net(Block(length, width, c["expansion"]) for _ in range(c["L_layers"]))
        self.H_init = nn.Buffer(torch.randn(width))
        self.L_init = nn.Buffer(torch.randn(width))
        if c["puzzle_emb_ndim"] > 0:
            self.puzzle_emb = PuzzleTable(c["num_puzzle_identifiers"], c["puzzle_emb_ndim"], c["batch_size"])

    def embed(self, tokens, puzzles):
        width = self.H_init.shape[0]
        x = self.embed_tokens.embedding_weight[tokens.long()]
        if self.slots > 0:
            row = self.puzzle_emb(puzzles)
            row = nn.functional.pad(row, (0, self.slots * width - row.shape[-1]))
            x = torch.cat([row.reshape(-1, self.slots, width), x], dim=1)
        return width**0.5 * x

    def recursion(self, x, y, z, n):
        for _ in range(n):
            z = self.L_level(x + y + z)
        return self.L_level(y + z), z


class TinyRecursiveReasoningModel_ACTV1(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.c = config
        self.inner = Inner(config)

    @property
    def puzzle_emb(self):
        return self.inner.puzzle_emb

    def initial_carry(self, batch):
        count, length = batch["inputs"].shape
        state = torch.zeros(count, length + self.inner.slots, self.c["hidden_size"])
        data = {name: torch.zeros_like(values) for name, values in batch.items()}
        return dict(y=state, z=state, steps=torch.zeros(count), halted=torch.ones(count, dtype=torch.bool), data=data)

    def forward(self, carry, batch):
        c, inner, fresh = self.c, self.inner, carry["halted"]

        def refilled(new, old):
            return torch.where(fresh.view(-1, *[1] * (old.ndim - 1)), new, old)

        data = {name: refilled(batch[name], old) for name, old in carry["data"].items()}
        y, z = refilled(inner.H_init, carry["y"]), refilled(inner.L_init, carry["z"])
        steps = torch.where(fresh, 0, carry["steps"]) + 1
        x = inner.embed(data["inputs"], data["puzzle_identifiers"])
        with torch.no_grad():
            for _ in range(c["H_cycles"] - 1):
                y, z = inner.recursion(x, y, z, c["L_cycles"])
        y, z = inner.recursion(x, y, z, c["L_cycles"])
        logits = inner.lm_head(y)[:, inner.slots :]
        q = inner.q_head(y[:, 0])
        halted = steps >= c["halt_max_steps"]
        if self.training:
            halted = halted | (q[:, 0].detach() > 0)  # no exploration, so that results are comparable
        carry = dict(y=y.detach(), z=z.detach(), steps=steps, halted=halted, data=data)
        return carry, dict(logits=logits, q_halt_logits=q[:, 0], q_continue_logits=q[:, 1])
