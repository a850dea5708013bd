"""Writes what TensorFlow and PyTorch answer to small inputs, for tests that hold logq to it without either of them.

    benchmarks/peers/.venv/bin/python benchmarks/peers/python/parity_vectors.py

The files, under packages/*/test/fixtures, are kept in the repository; a README.md beside them says what stands in them.
TensorFlow answers in float32, PyTorch in float64. Inputs have three decimals, so that everyone reads the same float32.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
import torch
from torch.nn import functional

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ROOT / "packages"
# PyTorch's optimizers would load Triton, whose LLVM does not bear TensorFlow's beside it in one process.
sys.modules["triton"] = None


def plain(value):
    """JSON of anything below: arrays become nested lists, float32 its shortest digits, float64 twelve of them."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, tf.Tensor):
        return plain(value.numpy())
    if isinstance(value, torch.Tensor):
        return plain(value.detach().numpy())
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value] if value.ndim else plain(value[()])
    if isinstance(value, np.float32):
        return float(str(value))
    if isinstance(value, np.float64 | float):
        return float(f"{value:.12g}")
    return value.item() if isinstance(value, np.integer) else value


def write(package, name, content):
    """Answers the path of the file written."""
    path = PACKAGES / package / "test" / "fixtures" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(plain(content)) + "\n", encoding="utf-8")
    return str(path)


def thousandths(random, shape, spread):
    return np.round(random.normal(0, spread, shape), 3)


def distinct_rows(random, rows, count, classes):
    """(rows, count) class ids, none twice in a row."""
    return np.stack([random.permutation(classes)[:count] for _ in range(rows)])


# TensorFlow's candidate samplers


def draw(op, true_classes, S, unique, n, seed, **options):
    """One draw: ids (S), expected counts of the true classes (like them) and of the ids (S)."""
    true_classes = np.asarray(true_classes)
    T = true_classes.shape[1]
    ids, true_expected, expected = op(
        true_classes=tf.constant(true_classes, tf.int64),
        num_true=T,
        num_sampled=S,
        unique=unique,
        range_max=n,
        seed=seed,
        **options,
    )
    return {
        "n": n,
        "S": S,
        "unique": unique,
        **options,
        "trueClasses": true_classes.ravel(),
        "trueExpected": tf.reshape(true_expected, [-1]),
        "ids": ids,
        "expected": expected,
    }


LOG_UNIFORM = tf.random.log_uniform_candidate_sampler
UNIFORM = tf.random.uniform_candidate_sampler
FIXED = tf.random.fixed_unigram_candidate_sampler


def law_draws(op):
    """With and without replacement, from draws that need as many tries as candidates to draws that need many more."""
    draws = []
    for n, S in [(7, 3), (50, 20), (50, 45), (1000, 2), (1000, 64), (100000, 100), (2**31 - 1, 64)]:
        spread = sorted({0, 1, 2, n // 3, n - 1})
        for unique in [False, True]:
            for seed in [1, 2, 3] if S < 20 else [1]:
                draws.append(draw(op, [[c] for c in spread], S, unique, n, seed))
    return draws


def fixed_draws():
    """Reserved ids, of weight 0, come before the unigrams. A shard has every num_shards-th id, numbered anew from 0."""
    unigrams = [90.0, 55.0, 40.0, 21.0, 13.0, 8.0, 5.0, 3.0, 2.0, 1.0, 0.5, 7.0]
    draws = []
    for unique in [False, True]:
        for options in [
            {"distortion": 1.0},
            {"distortion": 0.75},
            {"distortion": 0.0},
            {"distortion": 0.75, "num_reserved_ids": 3},
            {"distortion": 0.5, "num_shards": 3, "shard": 1},
            {"distortion": 0.5, "num_reserved_ids": 2, "num_shards": 3, "shard": 1},
        ]:
            every = options.get("num_reserved_ids", 0) + len(unigrams)
            n = len(range(options.get("shard", 0), every, options.get("num_shards", 1)))
            draws.append(draw(FIXED, [[c] for c in range(n)], min(4, n), unique, n, 5, unigrams=unigrams, **options))
    return draws


def learned_draws(unique):
    """Ten draws, one after another, of an op that takes in its true classes after each."""
    n, S = 9, 4
    random = np.random.default_rng(7)

    @tf.function
    def sample(true_classes):
        return tf.random.learned_unigram_candidate_sampler(true_classes, 2, S, unique, n, seed=3)

    steps = []
    for _ in range(10):
        true_classes = np.minimum(random.geometric(0.35, (3, 2)) - 1, n - 1)
        ids, true_expected, expected = sample(tf.constant(true_classes, tf.int64))
        steps.append(
            {
                "trueClasses": true_classes.ravel(),
                "trueExpected": tf.reshape(true_expected, [-1]),
                "ids": ids,
                "expected": expected,
            }
        )
    return {"n": n, "S": S, "unique": unique, "steps": steps}


def counts_of_classes(op, n, draws, **options):
    ids = draw(op, [[0]], draws, False, n, 11, **options)["ids"].numpy()
    return {"n": n, "draws": draws, **options, "counts": np.bincount(ids, minlength=n)}


def counts_of_sets(n, S, draws):
    """How often each set of distinct classes was drawn by the log-uniform law, and how often each number of tries."""
    tf.random.set_seed(13)
    sets = {}
    for _ in range(draws):
        ids, _, _ = LOG_UNIFORM(tf.constant([[0]], tf.int64), 1, S, True, n)
        key = " ".join(str(c) for c in sorted(ids.numpy().tolist()))
        sets[key] = sets.get(key, 0) + 1
    return {"n": n, "S": S, "draws": draws, "sets": dict(sorted(sets.items()))}


def accidental_hits():
    random = np.random.default_rng(3)
    cases = []
    for unique in [True, False]:
        for T in [1, 3]:
            n, B, S = 15, 6, 10
            true_classes = distinct_rows(random, B, T, n)
            sampled = random.permutation(n)[:S] if unique else random.integers(0, n // 2, S)
            rows, positions, weights = tf.nn.compute_accidental_hits(
                tf.constant(true_classes, tf.int64), tf.constant(sampled, tf.int64), T
            )
            assert all(weights.numpy() == -np.finfo(np.float32).max)
            cases.append(
                {
                    "unique": unique,
                    "T": T,
                    "trueClasses": true_classes,
                    "ids": sampled,
                    "rows": rows,
                    "positions": positions,
                }
            )
    return cases


def tensorflow_samplers():
    tf.random.set_seed(2)
    return {
        "version": tf.__version__,
        "logUniform": law_draws(LOG_UNIFORM),
        "uniform": law_draws(UNIFORM),
        "fixedUnigram": fixed_draws(),
        "learnedUnigram": [learned_draws(False), learned_draws(True)],
        "counts": {
            "logUniform": counts_of_classes(LOG_UNIFORM, 60, 50000),
            "fixedUnigram": counts_of_classes(
                FIXED, 8, 50000, unigrams=[90.0, 55.0, 40.0, 21.0, 13.0, 8.0, 5.0, 3.0], distortion=0.75
            ),
        },
        "sets": counts_of_sets(6, 3, 10000),
        "accidentalHits": accidental_hits(),
    }


# TensorFlow's losses


def tensorflow_gradients(inputs, loss):
    """loss(weights, biases, hidden) answers (B); gradients are those of its mean."""
    variables = [tf.constant(inputs[name], tf.float32) for name in ["weights", "biases", "hidden"]]
    with tf.GradientTape() as tape:
        tape.watch(variables)
        losses = loss(*variables)
        mean = tf.reduce_mean(losses)
    weights, biases, hidden = (tf.convert_to_tensor(g) for g in tape.gradient(mean, variables))
    return {
        "losses": losses,
        "mean": mean,
        "weightGradient": weights,
        "biasGradient": biases,
        "hiddenGradient": hidden,
    }


def candidate_loss(op, inputs, labels, sampled, remove):
    ids, true_expected, expected = sampled
    n, T = len(inputs["weights"]), labels.shape[1]
    return tensorflow_gradients(
        inputs,
        lambda weights, biases, hidden: op(
            weights=weights,
            biases=biases,
            labels=tf.constant(labels, tf.int64),
            inputs=hidden,
            num_sampled=len(ids),
            num_classes=n,
            num_true=T,
            sampled_values=sampled,
            remove_accidental_hits=remove,
        ),
    )


def frequent_labels(random, B, T, n):
    """(B, T), distinct in a row. Every other row begins with one of the first classes, which are drawn most often."""
    orders = [random.permutation(n) for _ in range(B)]
    for row in range(0, B, 2):
        orders[row] = np.concatenate([[row // 2], orders[row][orders[row] != row // 2]])
    return np.stack(orders)[:, :T]


def candidate_cases(random, inputs, S):
    cases = []
    n, B = len(inputs["weights"]), len(inputs["hidden"])
    for T in [1, 2, 3]:
        labels = frequent_labels(random, B, T, n)
        for unique in [True, False]:
            sampled = LOG_UNIFORM(tf.constant(labels, tf.int64), T, S, unique, n, seed=T)
            ids, true_expected, expected = sampled
            for remove in [False, True]:
                cases.append(
                    {
                        "T": T,
                        "unique": unique,
                        "removeHits": remove,
                        "labels": labels,
                        "ids": ids,
                        "expected": expected,
                        "trueExpected": true_expected,
                        "sampledSoftmax": candidate_loss(tf.nn.sampled_softmax_loss, inputs, labels, sampled, remove),
                        "nce": candidate_loss(tf.nn.nce_loss, inputs, labels, sampled, remove),
                    }
                )
    return cases


def softmax_cases(random, inputs):
    n, B = len(inputs["weights"]), len(inputs["hidden"])
    soft = np.round(random.dirichlet(np.ones(n), B), 3)
    soft[:, 0] += 1 - soft.sum(1)
    named = {
        "one-hot": np.eye(n)[random.integers(0, n, B)],
        "soft": np.round(soft, 3),
        "sum-not-one": np.round(random.uniform(0, 0.3, (B, n)) * (random.uniform(0, 1, (B, n)) < 0.2), 3),
    }
    assert np.allclose(named["soft"].sum(1), 1) and named["soft"].min() >= 0

    def answer(labels):
        return tensorflow_gradients(
            inputs,
            lambda weights, biases, hidden: tf.nn.softmax_cross_entropy_with_logits(
                labels=tf.constant(labels, tf.float32),
                logits=tf.matmul(hidden, weights, transpose_b=True) + biases,
            ),
        )

    return [{"name": name, "labels": labels, "answer": answer(labels)} for name, labels in named.items()]


def loss_inputs(random, B, D, n):
    return {
        "weights": thousandths(random, (n, D), 0.7),
        "biases": thousandths(random, n, 0.5),
        "hidden": thousandths(random, (B, D), 0.7),
    }


def tensorflow_losses():
    tf.random.set_seed(4)
    random = np.random.default_rng(4)
    inputs = loss_inputs(random, 7, 6, 24)
    return {
        "version": tf.__version__,
        "inputs": inputs,
        "candidates": candidate_cases(random, inputs, 12),
        "softmax": softmax_cases(random, inputs),
    }


# PyTorch's losses


def torch_gradients(inputs, loss):
    """loss(logits, hidden, weights) answers a scalar."""
    weights, biases, hidden = (
        torch.tensor(inputs[name], dtype=torch.float32).double().requires_grad_()
        for name in ["weights", "biases", "hidden"]
    )
    value = loss(hidden @ weights.T + biases, hidden, weights)
    value.backward()
    return {
        "loss": value,
        "weightGradient": weights.grad,
        "biasGradient": torch.zeros_like(biases) if biases.grad is None else biases.grad,
        "hiddenGradient": hidden.grad,
    }


def cross_entropy_cases(random, inputs):
    n, B = len(inputs["weights"]), len(inputs["hidden"])
    targets = random.integers(0, n, B)
    targets[[2, 5]] = -100
    class_weights = np.round(random.uniform(0.2, 2, n), 3)
    cases = []
    for smoothing in [0.0, 0.1]:
        for weight in [None, class_weights]:
            for reduction in ["mean", "sum"]:
                options = {"labelSmoothing": smoothing, "classWeights": weight, "reduction": reduction}

                def loss(logits, *_, smoothing=smoothing, weight=weight, reduction=reduction):
                    return functional.cross_entropy(
                        logits,
                        torch.tensor(targets),
                        weight=None if weight is None else torch.tensor(weight),
                        ignore_index=-100,
                        label_smoothing=smoothing,
                        reduction=reduction,
                    )

                cases.append({**options, "answer": torch_gradients(inputs, loss)})

    def cosines(_, hidden, weights):
        logits = functional.normalize(hidden) @ functional.normalize(weights).T / 0.25
        return functional.cross_entropy(logits, torch.tensor(targets))

    return {"targets": targets, "cases": cases, "cosines": {"temperature": 0.25, **torch_gradients(inputs, cosines)}}


def one_vs_all_cases(random, inputs):
    n, B = len(inputs["weights"]), len(inputs["hidden"])
    labels = (random.uniform(0, 1, (B, n)) < 0.15).astype(float)
    labels[3] = 0
    y = torch.tensor(labels)
    shares = np.round(labels * random.uniform(0.1, 1, (B, n)), 3)
    pos_weights = np.round(random.uniform(0.3, 3, n), 3)
    cross_entropy = functional.binary_cross_entropy_with_logits
    return {
        "labels": labels.astype(int),
        "shares": shares,
        "posWeights": pos_weights,
        "multiLabelSoftMargin": torch_gradients(
            inputs, lambda logits, *_: functional.multilabel_soft_margin_loss(logits, y)
        ),
        "bceWithLogitsSum": torch_gradients(inputs, lambda logits, *_: cross_entropy(logits, y, reduction="sum")),
        "bceOfShares": torch_gradients(
            inputs, lambda logits, *_: cross_entropy(logits, torch.tensor(shares), reduction="sum")
        ),
        "bceWithPosWeights": torch_gradients(
            inputs, lambda logits, *_: cross_entropy(logits, y, pos_weight=torch.tensor(pos_weights), reduction="sum")
        ),
    }


def torch_losses():
    random = np.random.default_rng(5)
    inputs = loss_inputs(random, 8, 5, 17)
    return {
        "version": torch.__version__,
        "inputs": inputs,
        "crossEntropy": cross_entropy_cases(random, inputs),
        "oneVsAll": one_vs_all_cases(random, inputs),
    }


def adaptive_case(random, B, D, n, cutoffs, div_value, head_bias):
    module = torch.nn.AdaptiveLogSoftmaxWithLoss(D, n, cutoffs, div_value=div_value, head_bias=head_bias).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.tensor(thousandths(random, tuple(parameter.shape), 0.6), dtype=torch.float32))
    hidden = torch.tensor(thousandths(random, (B, D), 0.8), dtype=torch.float32).double().requires_grad_()
    edges = [0, *cutoffs, n]
    # Every part, and both ends of it.
    targets = torch.tensor([c for low, high in zip(edges, edges[1:], strict=False) for c in {low, high - 1}])
    targets = torch.cat([targets, torch.tensor(random.integers(0, n, B))])[:B]
    log_probabilities = module.log_prob(hidden)
    output, loss = module(hidden, targets)
    loss.backward()
    rows = torch.arange(B)
    assert torch.allclose(log_probabilities.exp().sum(1), torch.ones(B, dtype=torch.double))
    assert torch.allclose(output, log_probabilities[rows, targets]) and torch.allclose(loss, -output.mean())

    def tails(of):
        return [{"projection": of(tail[0].weight), "classes": of(tail[1].weight)} for tail in module.tail]

    def parameters(of):
        bias = of(module.head.bias) if head_bias else None
        return {"headWeight": of(module.head.weight), "headBias": bias, "tails": tails(of)}

    return {
        "D": D,
        "n": n,
        "cutoffs": cutoffs,
        "divValue": div_value,
        "hidden": hidden,
        "targets": targets,
        "parameters": parameters(lambda parameter: parameter),
        "logProbabilities": log_probabilities,
        "loss": loss,
        "gradients": {**parameters(lambda parameter: parameter.grad), "hidden": hidden.grad},
    }


def torch_adaptive():
    random = np.random.default_rng(6)
    return {
        "version": torch.__version__,
        "cases": [
            adaptive_case(random, 8, 8, 20, [5], 4.0, False),
            adaptive_case(random, 9, 8, 30, [6, 14], 2.0, True),
            adaptive_case(random, 10, 12, 40, [4, 10, 24], 1.5, False),
            adaptive_case(random, 10, 9, 26, [3, 4, 12], 2.0, True),
        ],
    }


# PyTorch's optimizers, on tables whose gradients are sparse


def sparse_loss(table, biases, hidden, targets, ids, log_q, sparse):
    """Sampled softmax, log Q subtracted from both, hits kept. Rows used twice are twice in the sparse gradient."""

    def logits(classes):
        rows = functional.embedding(classes, table, sparse=sparse)
        return rows, functional.embedding(classes, biases, sparse=sparse).squeeze(-1) - log_q[classes]

    rows, terms = logits(targets)
    label = (hidden * rows).sum(1) + terms
    rows, terms = logits(ids)
    return functional.cross_entropy(
        torch.cat([label[:, None], hidden @ rows.T + terms], 1), torch.zeros(len(hidden), dtype=torch.long)
    )


def optimizer_case(name, problem, make, sparse=True):
    """Three steps; the tables after each."""
    table = torch.tensor(problem["table"], dtype=torch.float32).double().requires_grad_()
    biases = torch.tensor(problem["biases"], dtype=torch.float32).double()[:, None].requires_grad_()
    log_q = torch.tensor(problem["logQ"])
    optimizer, options = make(table, biases)
    steps = []
    for step in problem["steps"] if sparse else problem["everyClassSteps"]:
        optimizer.zero_grad()
        hidden = torch.tensor(step["hidden"], dtype=torch.float32).double()
        targets, ids = torch.tensor(step["targets"]), torch.tensor(step["ids"])
        loss = sparse_loss(table, biases, hidden, targets, ids, log_q, sparse)
        loss.backward()
        optimizer.step()
        steps.append({"loss": loss, "table": table.detach().clone(), "biases": biases.detach()[:, 0].clone()})
    return {"name": name, "options": options, "everyClass": not sparse, "steps": steps}


def torch_optimizers():
    torch.sparse.check_sparse_tensor_invariants.enable()
    random = np.random.default_rng(8)
    B, D, n, S = 6, 5, 14, 9
    step_inputs = {"hidden": lambda: thousandths(random, (B, D), 0.9), "targets": lambda: random.integers(0, 5, B)}

    def steps(draw_ids):
        return [{**{name: make() for name, make in step_inputs.items()}, "ids": draw_ids()} for _ in range(3)]

    problem = {
        "table": thousandths(random, (n, D), 0.5),
        "biases": thousandths(random, n, 0.3),
        "logQ": np.round(random.uniform(-2, 1, n), 3),
        "steps": steps(lambda: random.integers(0, 9, S)),
        "everyClassSteps": steps(lambda: random.permutation(n)),
    }

    def sgd(table, biases):
        return torch.optim.SGD([table, biases], lr=0.4), {"name": "sgd", "learningRate": 0.4}

    def adagrad(start):
        def make(table, biases):
            optimizer = torch.optim.Adagrad([table, biases], lr=0.1, initial_accumulator_value=start, eps=1e-6)
            return optimizer, {
                "name": "adagrad",
                "learningRate": 0.1,
                "initialAccumulator": start,
                "epsilon": 1e-6,
            }

        return make

    def sparse_adam(epsilon):
        def make(table, biases):
            optimizer = torch.optim.SparseAdam([table, biases], lr=0.01, betas=(0.8, 0.95), eps=epsilon)
            return optimizer, {"name": "adam", "learningRate": 0.01, "beta1": 0.8, "beta2": 0.95, "epsilon": epsilon}

        return make

    def momentum(table, biases):
        groups = [{"params": [table], "weight_decay": 0.05}, {"params": [biases], "weight_decay": 0}]
        options = {"name": "momentum", "learningRate": 0.2, "momentum": 0.7, "weightDecay": 0.05}
        return torch.optim.SGD(groups, lr=0.2, momentum=0.7), options

    def adam(table, biases):
        optimizer = torch.optim.Adam([table, biases], lr=0.02, betas=(0.8, 0.95), eps=0.01)
        return optimizer, {"name": "adam", "learningRate": 0.02, "beta1": 0.8, "beta2": 0.95, "epsilon": 0.01}

    return {
        "version": torch.__version__,
        "problem": problem,
        "cases": [
            optimizer_case("SGD", problem, sgd),
            optimizer_case("Adagrad", problem, adagrad(0.0)),
            optimizer_case("Adagrad, accumulator from 0.1", problem, adagrad(0.1)),
            optimizer_case("SparseAdam", problem, sparse_adam(1e-9)),
            optimizer_case("SparseAdam, large epsilon", problem, sparse_adam(0.01)),
            optimizer_case("SGD with momentum and weight decay", problem, momentum, sparse=False),
            optimizer_case("Adam, large epsilon", problem, adam, sparse=False),
        ],
    }


if __name__ == "__main__":
    files = [
        write("samplers", "tensorflow-samplers.json", tensorflow_samplers()),
        write("losses", "tensorflow-losses.json", tensorflow_losses()),
        write("losses", "torch-losses.json", torch_losses()),
        write("losses", "torch-adaptive.json", torch_adaptive()),
        write("trainers", "torch-optimizers.json", torch_optimizers()),
    ]
    subprocess.run(["npx", "biome", "format", "--write", *files], cwd=ROOT, check=True)
