"""The PyTorch peer of the step benchmark: one TRM training step and one evaluation step on CPU, eager mode.

usage: python torch_step.py CONFIG.json [--threads N] [--repeat R] [--compile] [--case FOLDER] [--serve]
Needs `pip install torch numpy`. CONFIG.json uses the official code's names plus "intermediate_multiple",
and for the positions "rotary2d" the "columns" of the board.
Prints one JSON line: parameters, threads, milliseconds (minimum and median) of a training step and of an evaluation step.
A training step is deep_recursion with T-1 cycles off the tape and one on it, the stablemax loss in float64, the halting loss,
the backward pass, and Adam-atan2 on all parameters. An evaluation step is deep_recursion without gradients. The batch is random.
--case reads weights, batch and latents from a folder written by bench/shared/case.ts. --serve makes one step per line
("train" or "eval") of standard input and answers with a JSON line (bench/shared/program.ts). Without --serve, --case also prints
the losses of the first steps.
"""
import argparse, json, math, os, statistics, sys, time
import torch
from torch import nn
import torch.nn.functional as F


def linear(rows, cols):
    return nn.Parameter(torch.randn(rows, cols) / math.sqrt(cols))


def norm(h):
    return h * torch.rsqrt(h.square().mean(-1, keepdim=True) + 1e-5)


class SwiGLU(nn.Module):
    def __init__(self, width, expansion, multiple):
        super().__init__()
        inner = -(-round(expansion * width * 2 / 3) // multiple) * multiple
        self.gate_up, self.down = linear(2 * inner, width), linear(width, inner)

    def forward(self, h):
        gate, up = F.linear(h, self.gate_up).chunk(2, -1)
        return F.linear(F.silu(gate) * up, self.down)


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.qkv, self.out = heads, linear(3 * width, width), linear(width, width)

    def forward(self, h, rope):
        b, l, d = h.shape
        q, k, v = F.linear(h, self.qkv).view(b, l, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        if rope is not None:
            cos, sin = rope
            turn = lambda t: t * cos + torch.cat((-t[..., t.shape[-1] // 2:], t[..., : t.shape[-1] // 2]), -1) * sin
            q, k = turn(q), turn(k)
        return F.linear(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, l, d), self.out)


class Block(nn.Module):
    def __init__(self, c, length):
        super().__init__()
        self.mixer = SwiGLU(length, c["expansion"], c["intermediate_multiple"]) if c["mlp_t"] else None
        self.attention = None if c["mlp_t"] else Attention(c["hidden_size"], c["num_heads"])
        self.mlp = SwiGLU(c["hidden_size"], c["expansion"], c["intermediate_multiple"])

    def forward(self, h, rope):
        if self.mixer is not None:
            t = h.transpose(1, 2)
            h = norm(t + self.mixer(t)).transpose(1, 2)
        else:
            h = norm(h + self.attention(h, rope))
        return norm(h + self.mlp(h))


class TRM(nn.Module):
    def __init__(self, c):
        super().__init__()
        d, self.c, self.slots = c["hidden_size"], c, c["puzzle_emb_len"]
        self.length = c["seq_len"] + self.slots
        self.tokens, self.output_head = linear(c["vocab_size"], d), linear(c["vocab_size"], d)
        self.q_weight, self.q_bias = nn.Parameter(torch.zeros(2, d)), nn.Parameter(torch.full((2,), -5.0))
        self.blocks = nn.ModuleList(Block(c, self.length) for _ in range(c["L_layers"]))
        self.rope = angle = None
        if c["pos_encodings"] == "rope":
            head = d // c["num_heads"]
            angle = torch.outer(torch.arange(self.length).float(), 10000.0 ** (-torch.arange(0, head, 2).float() / head))
        elif c["pos_encodings"] == "rotary2d":  # as rotary2dTables in src/nn/layers.ts
            quarter = d // c["num_heads"] // 4
            place = torch.arange(self.length) - self.slots
            row = place.div(c["columns"], rounding_mode="floor")
            column = place - row * c["columns"]
            frequency = 2 * 100.0 ** (-torch.arange(quarter).float() / quarter)
            angle = torch.cat((torch.outer(row.float(), frequency), torch.outer(column.float(), frequency)), -1)
        elif c["pos_encodings"] != "none":
            raise ValueError(f"pos_encodings {c['pos_encodings']}, expected rope, rotary2d or none")
        if angle is not None:
            self.rope = (torch.cat((angle, angle), -1).cos(), torch.cat((angle, angle), -1).sin())

    def net(self, h):
        for block in self.blocks:
            h = block(h, self.rope)
        return h

    def cycle(self, x, y, z):
        for _ in range(self.c["L_cycles"]):
            z = self.net(z + (y + x))
        return self.net(y + z), z

    def forward(self, inputs, y, z):
        x = F.pad(math.sqrt(self.c["hidden_size"]) * F.embedding(inputs, self.tokens), (0, 0, self.slots, 0))
        with torch.no_grad():
            for _ in range(self.c["H_cycles"] - 1):
                y, z = self.cycle(x, y, z)
        y, z = self.cycle(x, y, z)
        return y, z, F.linear(y, self.output_head)[:, self.slots:], F.linear(y[:, 0], self.q_weight, self.q_bias)


def loss_of(logits, q, labels):
    v = logits.double()
    s = torch.where(v < 0, 1 / (1 - v), v + 1)
    ce = -torch.log(s / s.sum(-1, keepdim=True)).gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    right = (logits.argmax(-1) == labels).all(-1).to(q.dtype)
    return ce.mean(-1).sum() + 0.5 * F.binary_cross_entropy_with_logits(q[:, 0], right, reduction="sum")


class AdamAtan2:
    def __init__(self, params, lr=1e-4, betas=(0.9, 0.95), decay=0.1):
        self.p, self.lr, self.betas, self.decay, self.t = list(params), lr, betas, decay, 0
        self.m, self.v = [torch.zeros_like(p) for p in self.p], [torch.zeros_like(p) for p in self.p]

    @torch.no_grad()
    def step(self):
        self.t += 1
        b1, b2 = self.betas
        g = [p.grad for p in self.p]
        torch._foreach_mul_(self.p, 1 - self.lr * self.decay)
        torch._foreach_lerp_(self.m, g, 1 - b1)
        torch._foreach_mul_(self.v, b2); torch._foreach_addcmul_(self.v, g, g, 1 - b2)
        c1, c2 = 1 - b1 ** self.t, math.sqrt(1 - b2 ** self.t)
        for p, m, v in zip(self.p, self.m, self.v):
            p.sub_(torch.atan2(m, v.sqrt() / c2), alpha=self.lr / c1)
            p.grad = None


def load_case(folder, model):
    """Loads the weights; returns inputs, labels and the latents [y, z]."""
    header, numbers = json.load(open(os.path.join(folder, "case.json"))), open(os.path.join(folder, "case.bin"), "rb").read()
    kinds = {"float32": torch.float32, "int32": torch.int32}
    take = lambda e: torch.frombuffer(bytearray(numbers), dtype=kinds[e["dtype"]], count=math.prod(e["shape"]), offset=e["offset"]).view(e["shape"]).clone()
    tensors = {e["name"]: take(e) for e in header["tensors"]}
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(tensors[name])
    return tensors["inputs"].long(), tensors["labels"].long(), [tensors["y"], tensors["z"]]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("config"); ap.add_argument("--threads", type=int, default=0); ap.add_argument("--repeat", type=int, default=7); ap.add_argument("--compile", action="store_true")
    ap.add_argument("--case"); ap.add_argument("--serve", action="store_true")
    a = ap.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    c = json.load(open(a.config)); torch.manual_seed(0)
    model = TRM(c); step = torch.compile(model) if a.compile else model
    opt = AdamAtan2(model.parameters())
    b, l, v, d = c["batch_size"], c["seq_len"], c["vocab_size"], c["hidden_size"]
    inputs, labels = torch.randint(0, v, (b, l)), torch.randint(0, v, (b, l))
    state = [torch.randn(b, model.length, d), torch.randn(b, model.length, d)]
    if a.case:
        inputs, labels, state = load_case(a.case, model)
    losses = []

    def train():
        y, z, logits, q = step(inputs, *state)
        loss = loss_of(logits, q, labels) / b
        loss.backward()
        opt.step(); state[:] = [y.detach(), z.detach()]
        losses.append(loss.item())

    def evaluate():
        with torch.inference_mode():
            y, z, _, _ = step(inputs, *state); state[:] = [y, z]

    def bench(f):
        times = []
        for i in range(a.repeat + 2):
            t = time.perf_counter(); f(); times.append((time.perf_counter() - t) * 1e3)
        return {"min_ms": round(min(times[2:]), 2), "median_ms": round(statistics.median(times[2:]), 2)}

    who = {"peer": "pytorch " + torch.__version__ + (" compiled" if a.compile else ""), "config": a.config.split("/")[-1], "params": sum(p.numel() for p in model.parameters()), "threads": torch.get_num_threads()}
    if a.serve:
        return serve(who, {"train": train, "eval": evaluate}, losses)
    tr, ev = bench(train), bench(evaluate)
    print(json.dumps({**who, "train": tr, "eval": ev, **({"losses": losses[:3]} if a.case else {})}))


def serve(who, steps, losses):
    print(json.dumps(who), flush=True)
    for line in sys.stdin:
        t = time.perf_counter(); steps[line.strip()]()
        ms = (time.perf_counter() - t) * 1e3
        print(json.dumps({"ms": ms, "loss": losses[-1]} if line.strip() == "train" else {"ms": ms}), flush=True)


if __name__ == "__main__":
    main()
