"""Updates of the rows that a step has met: each once, with its complete gradient, and no other row moves or ages."""

import torch


def coalesce(ids, gradients):
    """Distinct ids, and the sums of their gradients."""
    unique, place = torch.unique(ids, return_inverse=True)
    sums = torch.zeros((len(unique), *gradients.shape[1:]))
    return unique, sums.index_add_(0, place, gradients)


class AdagradRows:
    def __init__(self, table, start, epsilon=1e-10):
        self.table, self.epsilon = table, epsilon
        self.state = torch.full_like(table, start)

    def update(self, ids, gradients, rate):
        state = self.state[ids].addcmul_(gradients, gradients)
        self.state[ids] = state
        self.table.index_add_(0, ids, gradients / state.sqrt_().add_(self.epsilon), alpha=-rate)


class AdamRows:
    """Moments are corrected by the global step. Decay is coupled L2."""

    def __init__(self, table, decay, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.table, self.decay, self.beta1, self.beta2, self.epsilon = table, decay, beta1, beta2, epsilon
        self.first, self.second = torch.zeros_like(table), torch.zeros_like(table)

    def update(self, ids, gradients, rate, step):
        """step counts from 1."""
        rows = self.table[ids]
        gradients = gradients.add_(rows, alpha=self.decay)
        first = self.first[ids].lerp_(gradients, 1 - self.beta1)
        second = self.second[ids].mul_(self.beta2).addcmul_(gradients, gradients, value=1 - self.beta2)
        self.first[ids], self.second[ids] = first, second
        root = (second / (1 - self.beta2**step)).sqrt_().add_(self.epsilon)
        self.table[ids] = rows.addcdiv_(first, root, value=-rate / (1 - self.beta1**step))
