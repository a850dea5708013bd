"""A sampled softmax or NCE step in PyTorch: shared candidates, log Q corrected, SGD on the rows that were met."""

import math

import torch
import torch.nn.functional as F

from protocol import serve
from torch_step import TorchStep


class Sampled(TorchStep):
    """Takes the candidates it is given, or draws them log-uniformly."""

    def __init__(self, settings):
        super().__init__(settings)
        given = self.inputs.candidates
        self.given = None if given is None else torch.from_numpy(given)
        self.classes = self.inputs.classes

    def check(self):
        return super().check() if self.given is not None else self.mean_loss()

    def candidates(self, batch):
        """Ids (S), log Q of them (S) and of the targets (B)."""
        targets = self.targets[batch]
        if self.given is not None:
            ids = self.given[batch]
            return ids, torch.full(ids.shape, self.inputs.log_q), torch.full(targets.shape, self.inputs.log_q)
        draws = torch.rand(self.inputs.negatives, dtype=torch.float64)
        ids = ((draws * math.log(self.classes + 1)).exp().long() - 1).clamp_(0, self.classes - 1)
        return ids, self.log_q(ids), self.log_q(targets)

    def log_q(self, ids):
        law = torch.log1p(1 / (ids.double() + 1)) / math.log(self.classes + 1)
        return (law * self.inputs.negatives).log().float()

    def loss_of(self, of_targets, of_candidates):
        """Mean loss of logits (B) and (B, S) that are corrected."""
        if self.inputs.loss == "nce":
            return (F.softplus(-of_targets) + F.softplus(of_candidates).sum(1)).mean()
        logits = torch.cat([of_targets[:, None], of_candidates], 1)
        return F.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.long))


class SparseEmbedding(Sampled):
    """As one writes it: an embedding with sparse gradients, and torch.optim.SGD."""

    def __init__(self, settings):
        super().__init__(settings)
        self.embedding = torch.nn.Embedding.from_pretrained(self.table, freeze=False, sparse=True)
        self.table = self.embedding.weight
        self.optimizer = torch.optim.SGD(self.embedding.parameters(), lr=self.rate)

    def run(self, batch):
        hidden = self.hidden[batch].detach().requires_grad_()
        ids, log_q, target_log_q = self.candidates(batch)
        rows = self.embedding(torch.cat([self.targets[batch], ids]))
        own, others = rows[: len(hidden)], rows[len(hidden) :]
        loss = self.loss_of((hidden * own).sum(1) - target_log_q, hidden @ others.t() - log_q)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach(), hidden.grad


class HandWritten(Sampled):
    """Gradients by hand, and rows updated in place."""

    @torch.no_grad()
    def run(self, batch):
        ids, log_q, target_log_q = self.candidates(batch)
        return self.update(self.hidden[batch], self.targets[batch], ids, log_q, target_log_q)

    def update(self, hidden, targets, ids, log_q, target_log_q):
        own, others = self.table[targets], self.table[ids]
        of_targets = (hidden * own).sum(1) - target_log_q
        of_candidates = torch.addmm(-log_q, hidden, others.t())
        loss = self.loss_of(of_targets, of_candidates)
        share = 1 / len(hidden)
        if self.inputs.loss == "nce":
            dtargets, dcandidates = -torch.sigmoid(-of_targets), torch.sigmoid(of_candidates)
        else:
            normaliser = torch.logaddexp(torch.logsumexp(of_candidates, 1), of_targets)
            dtargets = (of_targets - normaliser).exp() - 1
            dcandidates = (of_candidates - normaliser[:, None]).exp()
        dtargets, dcandidates = dtargets[:, None] * share, dcandidates * share
        gradient = torch.addmm(dtargets * own, dcandidates, others)
        self.table.index_add_(0, ids, dcandidates.t() @ hidden, alpha=-self.rate)
        self.table.index_add_(0, targets, dtargets * hidden, alpha=-self.rate)
        return loss, gradient


class Compiled(HandWritten):
    """The same, compiled."""

    def __init__(self, settings):
        super().__init__(settings)
        self.update = torch.compile(super().update)


FORMS = {"sparse embedding": SparseEmbedding, "hand-written": HandWritten, "torch.compile": Compiled}

if __name__ == "__main__":
    serve(lambda settings: FORMS[settings["form"]](settings))
