"""Steps in TensorFlow, graph mode: dense softmax, tf.nn.sampled_softmax_loss, tf.nn.nce_loss."""

import numpy as np
import tensorflow as tf

from inputs import Inputs
from protocol import serve


class TensorFlowStep:
    def __init__(self, settings):
        self.inputs = Inputs(settings)
        tf.config.threading.set_intra_op_parallelism_threads(self.inputs.threads)
        tf.config.threading.set_inter_op_parallelism_threads(self.inputs.threads)
        self.table = tf.Variable(np.array(self.inputs.table))
        self.biases = tf.zeros([self.inputs.classes])
        self.hidden = [tf.constant(hidden) for hidden in self.inputs.hidden]
        self.targets = [tf.constant(targets) for targets in self.inputs.targets]
        given = self.inputs.candidates
        self.candidates = None if given is None else [tf.constant(ids) for ids in given]
        self.next = 0
        self.graph = tf.function(self.update)

    def loss(self, hidden, targets, ids):
        if self.inputs.loss == "full-softmax":
            logits = tf.matmul(hidden, self.table, transpose_b=True)
            return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits))
        loss = tf.nn.nce_loss if self.inputs.loss == "nce" else tf.nn.sampled_softmax_loss
        return tf.reduce_mean(
            loss(
                weights=self.table,
                biases=self.biases,
                labels=targets[:, None],
                inputs=hidden,
                num_sampled=self.inputs.negatives,
                num_classes=self.inputs.classes,
                sampled_values=self.sampled(targets, ids),
                remove_accidental_hits=False,
            )
        )

    def sampled(self, targets, ids):
        """Ids, expected counts of the targets and of the ids."""
        if ids is None:
            return tf.random.log_uniform_candidate_sampler(
                targets[:, None], 1, self.inputs.negatives, unique=False, range_max=self.inputs.classes
            )
        expected = self.inputs.negatives / self.inputs.classes
        return ids, tf.fill([len(targets), 1], expected), tf.fill([len(ids)], expected)

    def update(self, hidden, targets, ids):
        with tf.GradientTape() as tape:
            tape.watch(hidden)
            loss = self.loss(hidden, targets, ids)
        table, gradient = tape.gradient(loss, [self.table, hidden])
        if isinstance(table, tf.IndexedSlices):
            self.table.scatter_sub(tf.IndexedSlices(self.inputs.rate * table.values, table.indices))
        else:
            self.table.assign_sub(self.inputs.rate * table)
        return loss, gradient

    def step(self):
        batch = self.next
        self.next = (batch + 1) % self.inputs.batches
        ids = None if self.candidates is None else self.candidates[batch]
        loss, gradient = self.graph(self.hidden[batch], self.targets[batch], ids)
        return float(loss), gradient

    def check(self):
        if self.inputs.loss != "full-softmax" and self.candidates is None:
            losses = [self.step()[0] for _ in range(self.inputs.batches)]
            return {"loss": [sum(losses) / len(losses)]}
        loss, gradient = self.step()
        change = tf.gather(self.table, self.inputs.watched).numpy() - self.inputs.table[self.inputs.watched]
        return {
            "loss": [loss],
            "hidden gradient": np.asarray(gradient).ravel().tolist(),
            "table change": change.ravel().tolist(),
        }


if __name__ == "__main__":
    serve(TensorFlowStep)
