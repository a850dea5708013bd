import { keyFromSeed } from "@logq/core";
import { adaptiveRowCost, meanPathLength } from "@logq/losses";
import { samplerFrom, samplerStateBytes, statefulStateBytes } from "@logq/samplers";
import { isStateful, type Trainer } from "@logq/trainers";

type Candidates = NonNullable<NonNullable<Trainer["host"]["spec"]["training"]>["candidates"]>;

/** Draws over which distinct candidates are counted. */
const DRAWS = 32;

/** Bytes of the class table, the biases, what the optimizer keeps for both, and the sampler's tables. Encoder and scratch are not counted. */
export function tableBytes({ host, options, shape }: Trainer): number {
  const ofClasses = /^(class (table|bias)|adaptive (head|tail\d+)(-bias|-projection)?|sampler structure)(\.|$)/;
  const tables = host.layout.regions.filter(({ name }) => ofClasses.test(name));
  const candidates = host.spec.training?.candidates;
  const { sampler } = options;
  let state = 0;
  if (candidates?.state !== undefined) state = samplerStateBytes(candidates.state.spec, shape.classes);
  else if (candidates?.stateful !== undefined && sampler !== undefined && isStateful(sampler))
    state = statefulStateBytes(sampler, shape.classes);
  return tables.reduce((sum, region) => sum + region.bytes, state);
}

/**
 * Floating-point operations of a step's three matrix products, B x D x rows each: all classes in a full softmax, whose logits are counted
 * once even if they are computed twice; the distinct candidates of a draw in sampled losses; the nodes on the path of a label in a tree; of an adaptive
 * softmax the head and the tails of labels that come as often as in training.
 */
export function productFlops({ host, options, shape, dataset }: Trainer): number {
  const { adaptive } = host.spec;
  if (adaptive !== undefined) {
    const { counts } = dataset.classes;
    const massOf = (first: number, end: number) => counts.subarray(first, end).reduce((sum, count) => sum + count, 0);
    const all = massOf(0, counts.length);
    const tailMass = adaptive.tails.map(({ first, size }) => massOf(first, first + size) / all);
    return 2 * options.batch * adaptiveRowCost(adaptive, tailMass);
  }
  const candidates = host.spec.training?.candidates;
  const sampled = candidates === undefined ? shape.classes : distinctCandidates(candidates);
  const rows = shape.tree === undefined ? sampled : meanPathLength(shape.tree, dataset.classes.counts);
  return 3 * 2 * options.batch * shape.dim * rows;
}

/** Of samplers without a law of their own, as many as there is room for. */
function distinctCandidates({ state, S }: Candidates): number {
  if (state === undefined) return S;
  const sampler = samplerFrom(state);
  const key = keyFromSeed("distinct candidates");
  const ids = new Int32Array(S);
  const logQ = new Float64Array(S);
  let sum = 0;
  for (let step = 0; step < DRAWS; step++) {
    sampler.draw({ key, step, item: 0, S }, ids, logQ);
    sum += new Set(ids).size;
  }
  return sum / DRAWS;
}
