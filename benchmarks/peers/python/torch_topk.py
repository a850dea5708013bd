"""The exact best k of all classes in PyTorch."""

import numpy as np
import torch

from inputs import read
from protocol import serve


class TopK:
    """Blocks of queries against all classes, or of classes against all queries; or everything at once."""

    def __init__(self, settings):
        torch.set_num_threads(settings["threads"])
        self.table = torch.from_numpy(read(settings["files"]["table"]))
        self.queries = torch.from_numpy(read(settings["files"]["queries"]))
        self.k = settings["k"]
        self.form = settings["form"]
        self.block = settings["block"]

    @torch.no_grad()
    def step(self):
        if self.form == "unblocked":
            return torch.topk(self.queries @ self.table.t(), self.k)
        if self.form == "blocks of queries":
            blocks = [torch.topk(part @ self.table.t(), self.k) for part in self.queries.split(self.block)]
            return torch.cat([values for values, _ in blocks]), torch.cat([ids for _, ids in blocks])
        return self.by_classes()

    def by_classes(self):
        values, ids = [], []
        for first in range(0, len(self.table), self.block):
            best = torch.topk(self.queries @ self.table[first : first + self.block].t(), self.k)
            values.append(best.values)
            ids.append(best.indices + first)
        values, ids = torch.cat(values, 1), torch.cat(ids, 1)
        best = torch.topk(values, self.k)
        return best.values, ids.gather(1, best.indices)

    def check(self):
        values, ids = self.step()
        return {"logits": np.asarray(values).ravel().tolist(), "ids": np.asarray(ids).ravel().tolist()}


if __name__ == "__main__":
    serve(TopK)
