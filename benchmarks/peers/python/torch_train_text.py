"""An n-gram language model in PyTorch: the words before, side by side, a hidden layer, Adagrad.

By sampled softmax the output layer's gradients are written by hand, on the rows that a step meets; by full softmax they come from
autograd through compiled logits and cross-entropy, the fastest form of that step. The encoder's always come from autograd.
"""

import itertools
import math
import time

import torch
import torch.nn.functional as F

from inputs import read
from protocol import serve
from rows import AdagradRows, coalesce


class Text:
    def __init__(self, settings):
        self.settings = settings
        torch.set_num_threads(settings["threads"])
        torch.manual_seed(settings["seed"])
        files = settings["files"]
        self.window, self.classes = settings["window"], settings["classes"]
        # Words before the beginning are ends of lines.
        self.train, self.test = (
            F.pad(torch.from_numpy(read(files[name])).long(), (self.window, 0), value=settings["eos"])
            for name in ("train", "test")
        )
        counts = torch.from_numpy(read(files["counts"])).double()
        law = counts.pow(settings["distortion"])
        law /= law.sum()
        self.cumulative = law.cumsum(0)
        self.log_q = (law * settings["negatives"]).log().float()
        self.build(settings["dim"], counts)
        self.step = 0
        self.order = None

    def build(self, dim, counts):
        hidden, start = self.settings["hidden"], self.settings["accumulator"]
        self.embedding = torch.empty(self.classes, dim).uniform_(-0.1, 0.1)
        self.table = torch.empty(self.classes, dim).uniform_(-0.05, 0.05)
        # As logq starts them: the log of the share, of what was never seen as of half a sight.
        self.bias = ((counts.clamp(min=0.5)) / counts.sum()).log().float()
        widths = [self.window * dim, hidden, *([] if hidden == dim else [dim])]
        layers = [torch.nn.Linear(a, b) for a, b in itertools.pairwise(widths)]
        for layer in layers:
            torch.nn.init.xavier_uniform_(layer.weight)
            torch.nn.init.zeros_(layer.bias)
        activation = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}[self.settings["activation"]]()
        dropout = torch.nn.Dropout(self.settings["dropout"])
        rest = layers[1:]
        self.network = torch.nn.Sequential(dropout, layers[0], activation, dropout, *rest)
        rate = self.settings["rate"] * self.settings["denseFactor"]
        self.dense = torch.optim.Adagrad(self.network.parameters(), lr=rate, initial_accumulator_value=start)
        self.embedding_rows = AdagradRows(self.embedding, start)
        self.table_rows = AdagradRows(self.table, start)
        self.bias_rows = AdagradRows(self.bias, start)

    def contexts(self, tokens, places):
        """(B, window) words before each place, and (B) the words there."""
        steps = torch.arange(self.window)
        return tokens[places[:, None] + steps], tokens[places + self.window]

    def batch(self):
        size, examples = self.settings["batch"], len(self.train) - self.window
        place = self.step % math.ceil(examples / size)
        if place == 0:
            self.order = torch.randperm(examples)
        return self.contexts(self.train, self.order[place * size : (place + 1) * size])

    def factor(self):
        return 1 - self.step / self.settings["totalSteps"] if self.settings["schedule"] == "linear" else 1.0

    def steps(self, question):
        self.network.train()
        begin = time.perf_counter()
        for _ in range(question["count"]):
            self.one_step()
        return {"seconds": time.perf_counter() - begin}

    def one_step(self):
        words, targets = self.batch()
        rate = self.settings["rate"] * self.factor()
        self.step += 1
        inputs = self.embedding[words.flatten()].view(len(words), -1).requires_grad_()
        hidden = self.network(inputs)
        gradient = self.output_layer(hidden.detach(), targets, rate)
        for group in self.dense.param_groups:
            group["lr"] = rate * self.settings["denseFactor"]
        self.dense.zero_grad()
        hidden.backward(gradient)
        self.dense.step()
        rows = inputs.grad.view(words.numel(), -1)
        self.embedding_rows.update(*coalesce(words.flatten(), rows), rate)

    @torch.no_grad()
    def output_layer(self, hidden, targets, rate):
        """Updates the rows met, and answers the gradient of hidden."""
        draws = torch.rand(self.settings["negatives"], dtype=torch.float64) * self.cumulative[-1]
        ids = torch.searchsorted(self.cumulative, draws, right=True).clamp_(max=self.classes - 1)
        own, others = self.table[targets], self.table[ids]
        of_targets = (hidden * own).sum(1) + self.bias[targets] - self.log_q[targets]
        logits = torch.addmm(self.bias[ids] - self.log_q[ids], hidden, others.t())
        normaliser = torch.logaddexp(torch.logsumexp(logits, 1), of_targets)
        share = 1 / len(targets)
        dlogits = logits.sub_(normaliser[:, None]).exp_().mul_(share)
        dtargets = (of_targets - normaliser).exp_().sub_(1).mul_(share)
        gradient = torch.addmm(dtargets[:, None] * own, dlogits, others)
        met = torch.cat([targets, ids])
        rows = torch.cat([dtargets[:, None] * hidden, dlogits.t() @ hidden])
        unique, sums = coalesce(met, torch.cat([rows, torch.cat([dtargets, dlogits.sum(0)])[:, None]], 1))
        self.table_rows.update(unique, sums[:, :-1], rate)
        self.bias_rows.update(unique, sums[:, -1], rate)
        return gradient

    @torch.no_grad()
    def quality(self, question):
        """Exact cross-entropy, nats a token, of the first tokens of the test part."""
        self.network.eval()
        count = min(len(self.test) - self.window, question.get("limit") or len(self.test))
        total = 0.0
        for places in torch.arange(count).split(256):
            words, targets = self.contexts(self.test, places)
            hidden = self.network(self.embedding[words].view(len(words), -1))
            logits = torch.addmm(self.bias, hidden, self.table.t())
            total += F.cross_entropy(logits, targets, reduction="sum").item()
        return {"quality": total / count}


class FullText(Text):
    """The same model, trained over all classes."""

    def build(self, dim, counts):
        super().build(dim, counts)
        parameters = [self.table.requires_grad_(), self.bias.requires_grad_()]
        start, rate = self.settings["accumulator"], self.settings["rate"]
        self.output = torch.optim.Adagrad(parameters, lr=rate, initial_accumulator_value=start, eps=1e-10)
        self.loss = torch.compile(self.cross_entropy)
        # Compiled before any step is timed.
        self.gradient(torch.zeros(self.settings["batch"], dim), torch.zeros(self.settings["batch"], dtype=torch.long))

    def cross_entropy(self, hidden, targets):
        return F.cross_entropy(hidden @ self.table.t() + self.bias, targets)

    def gradient(self, hidden, targets):
        self.output.zero_grad()
        hidden = hidden.requires_grad_()
        self.loss(hidden, targets).backward()
        return hidden.grad

    def output_layer(self, hidden, targets, rate):
        """Updates all rows, and answers the gradient of hidden."""
        gradient = self.gradient(hidden, targets)
        for group in self.output.param_groups:
            group["lr"] = rate
        self.output.step()
        return gradient


FORMS = {"sampled": Text, "full": FullText}

if __name__ == "__main__":
    serve(lambda settings: FORMS[settings.get("form", "sampled")](settings))
