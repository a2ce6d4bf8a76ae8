"""Stand-in for the official module models.losses: the loss head. See ../README.md."""

import torch
from torch import nn


def stablemax_cross_entropy(logits, labels, ignore_index, valid_mask):
    v = logits.double()
    s = torch.where(v < 0, 1 / (1 - v), v + 1)
    shares = s / s.sum(-1, keepdim=True)
    right = shares.gather(-1, labels.clamp_min(0).long().unsqueeze(-1)).squeeze(-1)
    return -torch.where(valid_mask, right.log(), 0)


def softmax_cross_entropy(logits, labels, ignore_index):  # no valid_mask, as in the official code
    return nn.functional.cross_entropy(logits.mT, labels.long(), ignore_index=ignore_index, reduction="none")


class ACTLossHead(nn.Module):
    def __init__(self, model, loss_type):
        super().__init__()
        self.model = model
        self.loss_type = loss_type

    def initial_carry(self, batch):
        return self.model.initial_carry(batch)

    def forward(self, return_keys, **inputs):
        carry, outputs = self.model(**inputs)
        labels, logits, q = carry["data"]["labels"], outputs["logits"], outputs["q_halt_logits"]
        counted = labels != -100
        counts = counted.sum(-1)
        right = ((logits.argmax(-1) == labels) & counted).sum(-1) == counts
        losses = globals()[self.loss_type](logits, labels, ignore_index=-100, valid_mask=counted)
        answer_loss = (losses / counts.clamp_min(1).unsqueeze(-1)).sum()
        halt_loss = nn.functional.binary_cross_entropy_with_logits(q, right.to(q.dtype), reduction="sum")
        done = carry["halted"] & (counts > 0)
        metrics = dict(
            count=done.sum(),
            exact_accuracy=(done & right).sum(),
            steps=torch.where(done, carry["steps"], 0).sum(),
            lm_loss=answer_loss.detach(),
            q_halt_loss=halt_loss.detach(),
        )
        wanted = {name: outputs[name].detach() for name in return_keys}
        return carry, answer_loss + 0.5 * halt_loss, metrics, wanted, carry["halted"].all()
