"""Continues the training of a model exported by trm-ts in PyTorch. It trains the classes of the official TinyRecursiveModels
code from the user's checkout, data-parallel over the processes that torchrun starts (gloo on CPUs, nccl on GPUs).

    torchrun --nproc-per-node 2 train.py --checkout TinyRecursiveModels --from exported --out trained --steps 1000

`npx trm import trained/model.safetensors --out RUN` imports the result; `--from trained` continues from it. See README.md.
"""

import argparse
import importlib
import json
import math
import os
import sys
from dataclasses import dataclass

import numpy as np
import torch
import torch.distributed as dist
import torch.distributed.nn  # must be imported before init_process_group: see the end of main()
import yaml
from safetensors.torch import load_file, save_file

from schedule import average_rate, learning_rate

IGNORED = -100  # the label that the official losses ignore
FIELDS = ("inputs", "labels", "puzzle_identifiers", "puzzle_indices", "group_indices")


# --- The official classes ----------------------------------------------------------------------------------------------


def official_class(identifier):
    """ "losses@ACTLossHead" is class ACTLossHead of module models.losses."""
    module, name = identifier.split("@")
    return getattr(importlib.import_module("models." + module), name)


def adapt_official_code(config):
    """Replaces two functions of the official code in this process; the files of the checkout are not changed."""
    multiple = own_settings(config).get("widthMultiple", 256)
    layers = importlib.import_module("models.layers")
    layers._find_multiple = lambda size, _: math.ceil(size / multiple) * multiple  # SwiGLU width; official: 256

    losses = importlib.import_module("models.losses")
    softmax = losses.softmax_cross_entropy  # the loss head passes a valid_mask, which it does not accept
    losses.softmax_cross_entropy = lambda logits, labels, ignore_index, valid_mask=None: softmax(
        logits, labels, ignore_index=ignore_index
    )


def build_model(config, data, world):
    """Builds the model and its loss head as the official pretrain.py does."""
    arch = dict(config["arch"])
    loss = dict(arch.pop("loss"))
    model_class, head_class = official_class(arch.pop("name")), official_class(loss.pop("name"))
    from_data = {key: data.about[key] for key in ("vocab_size", "seq_len", "num_puzzle_identifiers")}
    model = model_class({**arch, **from_data, "batch_size": config["global_batch_size"] // world, "causal": False})
    return head_class(model, **loss)


def own_settings(config):
    return (config.get("trm_ts") or {}).get("settings") or {}


# --- Weights -------------------------------------------------------------------------------------------------------------


def unwrapped(name):
    """A parameter's name without the prefixes that torch.compile and the loss head add."""
    for prefix in ("_orig_mod.", "module.", "model."):
        if name.startswith(prefix):
            return unwrapped(name[len(prefix) :])
    return name


def load_weights(model, path):
    """Loads every tensor of the model; half precision is converted to the model's data type."""
    model.load_state_dict({unwrapped(name): tensor for name, tensor in load_file(path).items()})


def save_weights(path, tensors):
    """Writes float32 to a temporary file and renames it, so that a crash leaves the previous file intact."""
    whole = {name: tensor.detach().float().cpu().contiguous() for name, tensor in tensors.items()}
    save_file(whole, path + ".tmp", metadata={"format": "pt"})
    os.replace(path + ".tmp", path)


# --- Data ----------------------------------------------------------------------------------------------------------------


class Split:
    """One split in the official layout; inputs and labels are memory-mapped."""

    def __init__(self, folder):
        with open(os.path.join(folder, "dataset.json")) as file:
            self.about = json.load(file)
        for field in FIELDS:
            setattr(self, field, np.load(os.path.join(folder, f"all__{field}.npy"), mmap_mode="r"))

    def batch(self, examples, puzzles, rows, device):
        """Tensors with `rows` examples; missing ones are padding, which the losses ignore."""
        missing = rows - len(examples)
        labels = np.array(self.labels[examples], dtype=np.int32)
        if self.about["ignore_label_id"] is not None:
            labels[labels == self.about["ignore_label_id"]] = IGNORED
        columns = {
            "inputs": (self.inputs[examples], self.about["pad_id"]),
            "labels": (labels, IGNORED),
            "puzzle_identifiers": (self.puzzle_identifiers[puzzles], self.about["blank_identifier_id"]),
        }

        def padded(values, filler):
            widths = [(0, missing)] + [(0, 0)] * (np.ndim(values) - 1)
            return torch.from_numpy(np.pad(np.asarray(values, dtype=np.int32), widths, constant_values=filler)).to(device)

        return {name: padded(*column) for name, column in columns.items()}


def training_batches(split, size, seed):
    """Yields the example and puzzle indices of each batch, forever and identically in every process. An epoch visits the groups
    in random order and draws one puzzle of each, with as many of its examples as still fit; a batch may span two epochs."""
    random = np.random.default_rng(seed)
    examples, puzzles = [], []
    while True:
        for group in random.permutation(len(split.group_indices) - 1):
            puzzle = random.integers(split.group_indices[group], split.group_indices[group + 1])
            start, end = split.puzzle_indices[puzzle], split.puzzle_indices[puzzle + 1]
            taken = random.permutation(np.arange(start, end))[: size - len(examples)]
            examples.extend(taken)
            puzzles.extend([puzzle] * len(taken))
            if len(examples) == size:
                yield np.array(examples), np.array(puzzles)
                examples, puzzles = [], []


# --- Optimizers ------------------------------------------------------------------------------------------------------------


class AdamAtan2:
    """m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p = p (1 - lr wd) - lr / (1 - b1^t) atan2(m, sqrt(v / (1 - b2^t)))"""

    def __init__(self, parameters, beta1, beta2, weight_decay):
        self.parameters, self.beta1, self.beta2, self.weight_decay = parameters, beta1, beta2, weight_decay
        self.m = {name: torch.zeros_like(p) for name, p in parameters.items()}
        self.v = {name: torch.zeros_like(p) for name, p in parameters.items()}
        self.t = 0

    @torch.no_grad()
    def step(self, lr):
        self.t += 1
        for name, p in self.parameters.items():
            if p.grad is None:
                continue
            m, v = self.m[name], self.v[name]
            m.lerp_(p.grad, 1 - self.beta1)
            v.mul_(self.beta2).addcmul_(p.grad, p.grad, value=1 - self.beta2)
            root = (v / (1 - self.beta2**self.t)).sqrt_()
            p.mul_(1 - lr * self.weight_decay).sub_(torch.atan2(m, root), alpha=lr / (1 - self.beta1**self.t))

    def state(self):
        return {f"{kind}/{name}": tensor for kind in "mv" for name, tensor in getattr(self, kind).items()}


# --- Training and evaluation -----------------------------------------------------------------------------------------------


def summed(tensor, world):
    if world > 1:
        dist.all_reduce(tensor)
    return tensor


@dataclass
class Process:
    rank: int
    world: int  # number of processes
    device: torch.device


@torch.no_grad()
def exact_accuracy(head, split, size, process):
    """Share of examples that are entirely correct after the last supervision step."""
    head.eval()
    rank, world, device = process.rank, process.world, process.device
    local, total = size // world, len(split.inputs)
    counts = torch.zeros(2, device=device)
    for start in range(0, total, size):
        examples = np.arange(start + rank * local, min(start + (rank + 1) * local, total))
        puzzles = np.searchsorted(split.puzzle_indices, examples, side="right") - 1
        batch = split.batch(examples, puzzles, local, device)
        with torch.device(device):
            carry, finished = head.initial_carry(batch), False
        while not finished:
            carry, _, metrics, _, finished = head(carry=carry, batch=batch, return_keys=[])
        counts += torch.stack([metrics["exact_accuracy"], metrics["count"]]).float()
    head.train()
    right, count = summed(counts, world).tolist()
    return right / max(count, 1)


def train(options, config, process):
    rank, world, device = process.rank, process.world, process.device
    log = print if rank == 0 else lambda *_, **__: None
    folder = os.path.abspath(options.source)
    data = config["data_paths"][0]
    data = data if os.path.isabs(data) else os.path.join(folder, data)
    split = Split(os.path.join(data, "train"))
    size = config["global_batch_size"]
    if size % world != 0:
        raise SystemExit(f"train.py: got global_batch_size {size} with {world} processes, expected a multiple")
    local = size // world

    head = build_model(config, split, world)
    load_weights(head.model, os.path.join(folder, "model.safetensors"))
    head.to(device).train()
    parameters = dict(head.model.named_parameters())
    adam = AdamAtan2(parameters, config["beta1"], config["beta2"], config["weight_decay"])
    signs = None
    if config["arch"].get("puzzle_emb_ndim", 0) > 0:
        optimizer = importlib.import_module("models.sparse_embedding").CastedSparseEmbeddingSignSGD_Distributed
        decay = config["puzzle_emb_weight_decay"]
        signs = optimizer(head.model.puzzle_emb.buffers(), lr=0, weight_decay=decay, world_size=world)
    average = {name: p.detach().clone() for name, p in parameters.items()} if config.get("ema") else {}
    before = os.path.join(folder, "ema.safetensors")
    if average and os.path.exists(before):
        kept = {unwrapped(name): tensor for name, tensor in load_file(before, device=str(device)).items()}
        average = {name: kept[name].to(p.dtype) for name, p in average.items()}
    first = load_progress(adam, folder)

    def save_at(step):
        written = {**config, "data_paths": [os.path.relpath(data, options.out)]}
        progress = {**adam.state(), "step": torch.tensor(float(step))}
        save(options.out, written, head.model.state_dict(), average, progress)

    forward = torch.compile(head) if options.compile else head
    total = own_settings(config).get("totalSteps") or total_steps(config, split)
    schedule = dict(warmup=config["lr_warmup_steps"], total=total, min_ratio=config["lr_min_ratio"])
    torch.manual_seed(config["seed"] + rank + first)
    batches = training_batches(split, size, config["seed"] + first)
    carry = None
    log(f"{world} process(es) on {device}; {sum(p.numel() for p in parameters.values()):,} parameters; step {first}")
    for step in range(first + 1, first + options.steps + 1):
        examples, puzzles = (part[rank * local : (rank + 1) * local] for part in next(batches))
        batch = split.batch(examples, puzzles, local, device)
        if carry is None:
            with torch.device(device):
                carry = head.initial_carry(batch)
        carry, loss, metrics, _, _ = forward(carry=carry, batch=batch, return_keys=[])
        (loss / size).backward()
        for p in parameters.values():
            if p.grad is not None:
                summed(p.grad, world)
        if signs:
            signs.param_groups[0]["lr"] = learning_rate(step, config["puzzle_emb_lr"], **schedule)
            signs.step()
            signs.zero_grad()
        adam.step(learning_rate(step, config["lr"], **schedule))
        head.zero_grad()
        for name, mean in average.items():
            mean.lerp_(parameters[name].detach(), 1 - average_rate(step, config["ema_rate"], own_settings(config).get("emaWarmup", False)))
        if step % options.log_every == 0 or step == first + options.steps:
            names = ("lm_loss", "count", "exact_accuracy", "steps")
            numbers = summed(torch.stack([metrics[name].detach().double().cpu() for name in names]).to(device).float(), world)
            lm_loss, count, exact, steps = numbers.tolist()
            log(f"step {step}: answer loss {lm_loss / size:.4f}, halted {count:.0f}, exact {exact:.0f}, steps {steps:.0f}")
        if step % options.save_every == 0 or step == first + options.steps:
            if rank == 0:
                save_at(step)
            if world > 1:
                dist.barrier()
    if options.steps == 0 and rank == 0:
        save_at(first)
    if average:
        head.model.load_state_dict({**head.model.state_dict(), **average})
    if os.path.exists(os.path.join(data, "test")) and not options.no_test:
        test = Split(os.path.join(data, "test"))
        log(f"test split: {100 * exact_accuracy(head, test, size, process):.1f}% exactly right")


def total_steps(config, split):
    return int(config["epochs"] * split.about["total_groups"] * split.about["mean_puzzle_examples"] / config["global_batch_size"])


def load_progress(adam, folder):
    """Loads the moments and returns the step of an earlier run of this script; 0 for an export, which has no moments."""
    path = os.path.join(folder, "optimizer.safetensors")
    if not os.path.exists(path):
        return 0
    for name, tensor in load_file(path).items():
        if name == "step":
            adam.t = int(tensor)
        else:
            kind, parameter = name.split("/", 1)
            getattr(adam, kind)[parameter].copy_(tensor)
    return adam.t


def save(out, config, weights, average, progress):
    """Writes the folder that `trm import` and --from read. `progress` holds the moments and the step."""
    os.makedirs(out, exist_ok=True)
    save_weights(os.path.join(out, "model.safetensors"), weights)
    if average:
        save_weights(os.path.join(out, "ema.safetensors"), {**weights, **average})
    save_weights(os.path.join(out, "optimizer.safetensors"), progress)
    with open(os.path.join(out, "config.yaml"), "w") as file:
        yaml.safe_dump(config, file, sort_keys=False)


def main():
    parser = argparse.ArgumentParser(description="Trains the official TinyRecursiveModels classes from a trm-ts export.")
    parser.add_argument("--checkout", required=True, help="your clone of SamsungSAILMontreal/TinyRecursiveModels")
    parser.add_argument("--from", dest="source", required=True, help="folder of `trm export --for torchrun`, or an earlier --out")
    parser.add_argument("--out", required=True, help="folder to write")
    parser.add_argument("--steps", type=int, required=True, help="number of supervision steps")
    parser.add_argument("--save-every", type=int, default=1000, help="steps between saves")
    parser.add_argument("--log-every", type=int, default=50, help="steps between log lines")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--compile", action="store_true", help="compile the training step with torch.compile")
    parser.add_argument("--no-test", action="store_true", help="skip the evaluation on the test split at the end")
    options = parser.parse_args()

    if not os.path.isdir(os.path.join(options.checkout, "models")):
        raise SystemExit(f"train.py: no folder models in {options.checkout}, expected a checkout of the official code")
    sys.path.insert(0, os.path.abspath(options.checkout))
    with open(os.path.join(options.source, "config.yaml")) as file:
        config = yaml.safe_load(file)
    adapt_official_code(config)

    is_distributed = "LOCAL_RANK" in os.environ  # set by torchrun
    device = torch.device(options.device)
    if options.device == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
        torch.cuda.set_device(device)
    if is_distributed:
        dist.init_process_group("nccl" if options.device == "cuda" else "gloo")
    try:
        rank, world = (dist.get_rank(), dist.get_world_size()) if is_distributed else (0, 1)
        train(options, config, Process(rank, world, device))
    finally:
        # Destroying the group ends gloo's threads, unless something still refers to it. torch.distributed.nn does so through a
        # default argument if it is first imported after init_process_group (an optimizer imports it). A thread that outlives
        # the interpreter and then releases the tensors of the last sum aborts the process.
        if is_distributed:
            dist.destroy_process_group()


if __name__ == "__main__":
    main()
