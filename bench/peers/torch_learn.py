"""The PyTorch peer of the learning benchmark: the complete TRM training on CPU, eager mode, with the model of torch_step.py.

usage: python torch_learn.py FOLDER [--threads N]
FOLDER is written by bench/learning/peer.ts: training.json (configuration, goals, shapes), weights.bin (initial weights and initial
latents), batches.bin (the puzzles of every step) and test.bin (unseen puzzles). Prints one JSON line per evaluation: step, seconds
spent in training steps, and exact accuracy after the first and the last supervision step.
"""
import argparse, json, math, os, time
import numpy as np
import torch
from torch_step import TRM, AdamAtan2, loss_of


def learning_rate(step, c):
    if step < c["warmupSteps"]:
        return c["learningRate"] * step / max(1, c["warmupSteps"])
    progress = min(1, (step - c["warmupSteps"]) / max(1, c["totalSteps"] - c["warmupSteps"]))
    return c["learningRate"] * (c["minRatio"] + (1 - c["minRatio"]) * 0.5 * (1 + math.cos(math.pi * progress)))


def load_weights(model, folder, entries):
    """Loads the parameters of the model; returns the initial latents [D] by name."""
    numbers = np.fromfile(os.path.join(folder, "weights.bin"), dtype="<f4")
    tensors = {e["name"]: torch.from_numpy(numbers[e["offset"]:e["offset"] + math.prod(e["shape"])].copy()).view(e["shape"]) for e in entries}
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(tensors.pop(name))
    return tensors


@torch.inference_mode()
def exact_accuracy(model, inputs, labels, start, n_sup, batch):
    """Share of puzzles that are entirely correct, after the first and the last supervision step."""
    exact = [0] * n_sup
    for at in range(0, len(inputs), batch):
        x, truth = inputs[at:at + batch], labels[at:at + batch]
        y, z = (start[name].expand(len(x), model.length, -1) for name in ("y", "z"))
        for step in range(n_sup):
            y, z, logits, _ = model(x, y, z)
            exact[step] += (logits.argmax(-1) == truth).all(-1).sum().item()
    return exact[0] / len(inputs), exact[-1] / len(inputs)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("folder"); ap.add_argument("--threads", type=int, default=0)
    a = ap.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    about = json.load(open(os.path.join(a.folder, "training.json")))
    c, s = about["model"], about["training"]
    b, l, n_sup = s["batchSize"], c["seq_len"], s["nSup"]
    model, average = TRM(c), TRM(c)
    start = load_weights(model, a.folder, about["weights"])
    average.load_state_dict(model.state_dict())
    optimizer = AdamAtan2(model.parameters(), betas=(s["beta1"], s["beta2"]), decay=s["weightDecay"])
    batches = np.memmap(os.path.join(a.folder, "batches.bin"), dtype=np.uint8, mode="r").reshape(-1, 2, b, l)
    test_inputs, test_labels = torch.from_numpy(np.fromfile(os.path.join(a.folder, "test.bin"), dtype=np.uint8)).long().view(2, -1, l)
    torch.manual_seed(s["seed"])

    inputs, labels = torch.zeros(b, l, dtype=torch.long), torch.zeros(b, l, dtype=torch.long)
    y, z = (start[name].expand(b, model.length, -1) for name in ("y", "z"))
    steps, halted = torch.zeros(b, dtype=torch.long), torch.ones(b, dtype=torch.bool)
    seconds = 0.0
    for step in range(1, about["maxSteps"] + 1):
        began = time.perf_counter()
        new = torch.from_numpy(batches[step - 1].astype(np.int64))
        inputs, labels = (torch.where(halted[:, None], fresh, old) for fresh, old in zip(new, (inputs, labels)))
        y, z = (torch.where(halted[:, None, None], start[name], old) for name, old in (("y", y), ("z", z)))
        steps = torch.where(halted, 0, steps) + 1
        y, z, logits, q = model(inputs, y, z)
        (loss_of(logits, q, labels) / b).backward()
        optimizer.lr = learning_rate(step, s)
        optimizer.step()
        rate = min(s["emaRate"], (1 + step) / (10 + step)) if s["emaWarmup"] else s["emaRate"]
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - rate)
        y, z = y.detach(), z.detach()
        explores = torch.rand(b) < s["explorationProbability"]
        minimum = torch.where(explores, torch.randint(2, n_sup + 1, (b,)), 0)
        halted = ((steps >= n_sup) | (q[:, 0].detach() > 0)) & (steps >= minimum)
        seconds += time.perf_counter() - began
        if step % about["evaluateEvery"] == 0:
            exact = exact_accuracy(average, test_inputs, test_labels, start, n_sup, 100)
            print(json.dumps({"step": step, "seconds": seconds, "exact": exact}), flush=True)
            if exact[1] >= about["goal"]:
                return


main()
