"""Matrix factorisation by sampled softmax in PyTorch: shared uniform negatives, the partition form, lazy Adam."""

import math
import time

import torch

from inputs import read
from protocol import serve
from rows import AdamRows, coalesce


class Pairs:
    def __init__(self, settings):
        self.settings = settings
        torch.set_num_threads(settings["threads"])
        torch.manual_seed(settings["seed"])
        files = settings["files"]
        self.users, self.items = (torch.from_numpy(read(files[name])).long() for name in ("users", "items"))
        self.test_users, self.test_items = (
            torch.from_numpy(read(files[f"test-{name}"])).long() for name in ("users", "items")
        )
        self.user_count, self.classes, dim = settings["users"], settings["classes"], settings["dim"]
        self.user_table = torch.empty(self.user_count, dim).uniform_(-1, 1).mul_(settings["scale"])
        self.item_table = torch.empty(self.classes, dim).uniform_(-1, 1).mul_(settings["scale"])
        self.user_rows = AdamRows(self.user_table, settings["decay"])
        self.item_rows = AdamRows(self.item_table, settings["decay"])
        self.step = 0
        self.order = None

    def batch(self):
        size = self.settings["batch"]
        per_epoch = math.ceil(len(self.users) / size)
        place = self.step % per_epoch
        if place == 0:
            self.order = torch.randperm(len(self.users))
        chosen = self.order[place * size : (place + 1) * size]
        return self.users[chosen], self.items[chosen]

    def steps(self, question):
        begin = time.perf_counter()
        for _ in range(question["count"]):
            self.one_step()
        return {"seconds": time.perf_counter() - begin}

    @torch.no_grad()
    def one_step(self):
        users, items = self.batch()
        self.step += 1
        negatives = torch.randint(self.classes, (self.settings["negatives"],))
        hidden, own, others = self.user_table[users], self.item_table[items], self.item_table[negatives]
        of_targets = (hidden * own).sum(1)
        logits = hidden @ others.t()
        # The negatives stand for all classes but the target.
        logits.sub_(math.log(len(negatives) / (self.classes - 1)))
        logits.masked_fill_(items[:, None] == negatives, -math.inf)
        normaliser = torch.logaddexp(torch.logsumexp(logits, 1), of_targets)
        share = 1 / len(users)
        dlogits = logits.sub_(normaliser[:, None]).exp_().mul_(share)
        dtargets = (of_targets - normaliser).exp_().sub_(1).mul_(share)[:, None]
        dhidden = torch.addmm(dtargets * own, dlogits, others)
        gradients = torch.cat([dtargets * hidden, dlogits.t() @ hidden])
        rate = self.settings["rate"]
        self.item_rows.update(*coalesce(torch.cat([items, negatives]), gradients), rate, self.step)
        self.user_rows.update(*coalesce(users, dhidden), rate, self.step)

    @torch.no_grad()
    def quality(self, _question):
        """Recall@20 over all items but those of the training part, a mean over the users that have test items."""
        seen = (
            torch.sparse_coo_tensor(
                torch.stack([self.users, self.items]), torch.ones(len(self.users)), (self.user_count, self.classes)
            )
            .coalesce()
            .to_sparse_csr()
        )
        wanted = torch.zeros(self.user_count, dtype=torch.long).index_add_(
            0, self.test_users, torch.ones_like(self.test_users)
        )
        test = set((self.test_users * self.classes + self.test_items).tolist())
        recall, rated = 0.0, wanted.nonzero().flatten()
        for users in rated.split(512):
            scores = self.user_table[users] @ self.item_table.t()
            for row, user in enumerate(users.tolist()):
                start, end = seen.crow_indices()[user], seen.crow_indices()[user + 1]
                scores[row, seen.col_indices()[start:end]] = -math.inf
            best = scores.topk(20).indices
            keys = (users[:, None] * self.classes + best).tolist()
            hits = torch.tensor([sum(key in test for key in row) for row in keys])
            recall += (hits / wanted[users]).sum().item()
        return {"quality": recall / len(rated)}


if __name__ == "__main__":
    serve(Pairs)
