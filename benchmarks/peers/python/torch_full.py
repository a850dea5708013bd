"""A full softmax step in PyTorch: forward, cross-entropy, gradients of hidden vectors and table, SGD."""

import torch
import torch.nn.functional as F

from protocol import serve
from torch_step import TorchStep


class Autograd(TorchStep):
    """As one writes it: logits, cross_entropy, backward, update."""

    def __init__(self, settings):
        super().__init__(settings)
        self.table.requires_grad_()

    def loss(self, hidden, targets):
        return F.cross_entropy(hidden @ self.table.t(), targets)

    def run(self, batch):
        hidden = self.hidden[batch].detach().requires_grad_()
        loss = self.loss(hidden, self.targets[batch])
        loss.backward()
        with torch.no_grad():
            self.table.add_(self.table.grad, alpha=-self.rate)
        self.table.grad = None
        return loss.detach(), hidden.grad


class Compiled(Autograd):
    """The same, compiled."""

    def __init__(self, settings):
        super().__init__(settings)
        self.loss = torch.compile(super().loss)


class Fused(Autograd):
    """torch.nn.functional.linear_cross_entropy, in chunks."""

    def __init__(self, settings):
        super().__init__(settings)
        if not hasattr(F, "linear_cross_entropy"):
            raise RuntimeError("this PyTorch has no linear_cross_entropy")
        self.options = torch.nn.LinearCrossEntropyOptions()

    def loss(self, hidden, targets):
        return F.linear_cross_entropy(hidden, self.table, targets, options=self.options)


class HandWritten(TorchStep):
    """Gradients by hand: one buffer of logits for ever, and the product for the table adds into it at once."""

    def __init__(self, settings):
        super().__init__(settings)
        self.logits = torch.empty(self.hidden.shape[1], len(self.table))
        self.rows = torch.arange(self.hidden.shape[1])

    @torch.no_grad()
    def run(self, batch):
        hidden, targets, logits = self.hidden[batch], self.targets[batch], self.logits
        torch.mm(hidden, self.table.t(), out=logits)
        of_targets = logits[self.rows, targets]
        normaliser = torch.logsumexp(logits, 1)
        loss = (normaliser - of_targets).mean()
        logits.sub_(normaliser[:, None]).exp_()
        logits[self.rows, targets] -= 1
        share = 1 / len(hidden)
        gradient = torch.mm(logits, self.table).mul_(share)
        self.table.addmm_(logits.t(), hidden, alpha=-self.rate * share)
        return loss, gradient


class Rounded(TorchStep):
    """By hand, operands of all products in bfloat16; the table, the softmax and the update stay float32."""

    @torch.no_grad()
    def run(self, batch):
        hidden, targets = self.hidden[batch], self.targets[batch]
        rows = torch.arange(len(hidden))
        narrow, table = hidden.bfloat16(), self.table.bfloat16()
        logits = torch.mm(narrow, table.t()).float()
        of_targets = logits[rows, targets]
        normaliser = torch.logsumexp(logits, 1)
        loss = (normaliser - of_targets).mean()
        logits.sub_(normaliser[:, None]).exp_()
        logits[rows, targets] -= 1
        share = 1 / len(hidden)
        gradients = logits.bfloat16()
        gradient = torch.mm(gradients, table).float().mul_(share)
        self.table.add_(torch.mm(gradients.t(), narrow), alpha=-self.rate * share)
        return loss, gradient


FORMS = {
    "autograd": Autograd,
    "hand-written": HandWritten,
    "hand-written, products in bfloat16": Rounded,
    "torch.compile": Compiled,
    "linear_cross_entropy": Fused,
}

if __name__ == "__main__":
    serve(lambda settings: FORMS[settings["form"]](settings))
