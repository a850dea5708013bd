"""What steps in PyTorch have in common."""

import numpy as np
import torch

from inputs import Inputs


class TorchStep:
    """A step of SGD on the class table. A subclass says how: run(batch) -> (loss, hidden gradient).

    Subclasses keep the table in self.table, (n, D).
    """

    def __init__(self, settings):
        self.inputs = Inputs(settings)
        torch.set_num_threads(self.inputs.threads)
        self.rate = self.inputs.rate
        self.table = torch.from_numpy(np.array(self.inputs.table))
        self.hidden = torch.from_numpy(self.inputs.hidden)
        self.targets = torch.from_numpy(self.inputs.targets)
        self.next = 0

    def step(self):
        batch = self.next
        self.next = (batch + 1) % self.inputs.batches
        return self.run(batch)

    def check(self):
        loss, gradient = self.step()
        after = self.table.detach().numpy()[self.inputs.watched]
        change = after - self.inputs.table[self.inputs.watched]
        return {
            "loss": [float(loss)],
            "hidden gradient": np.asarray(gradient.detach()).ravel().tolist(),
            "table change": change.ravel().tolist(),
        }

    def mean_loss(self):
        """For sides that draw for themselves: the mean over one pass of the batches."""
        losses = [float(self.step()[0]) for _ in range(self.inputs.batches)]
        return {"loss": [sum(losses) / len(losses)]}
