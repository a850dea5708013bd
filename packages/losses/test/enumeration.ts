import { candidateTerms, type LossSpec } from "../src/index.js";
import { REFERENCE } from "./harness.js";
import { makeRig, type Rig, run } from "./rig.js";

/** One way that S draws can fall: how often each class came, and how probable that is. */
interface Outcome {
  readonly counts: Int32Array;
  readonly probability: number;
}

/** Every outcome of S independent draws from `law`. */
export function outcomes(law: readonly number[], S: number): Outcome[] {
  const n = law.length;
  const logFactorial = [0];
  for (let i = 1; i <= S; i++) logFactorial.push(logFactorial[i - 1]! + Math.log(i));
  const out: Outcome[] = [];
  const counts = new Int32Array(n);
  const visit = (c: number, left: number, logProbability: number): void => {
    if (c === n - 1) {
      counts[c] = left;
      const last = left === 0 ? 0 : left * Math.log(law[c]!) - logFactorial[left]!;
      out.push({ counts: counts.slice(), probability: Math.exp(logFactorial[S]! + logProbability + last) });
      return;
    }
    for (let count = 0; count <= left; count++) {
      counts[c] = count;
      visit(c + 1, left - count, logProbability + count * Math.log(law[c]!) - logFactorial[count]!);
    }
  };
  visit(0, S, 0);
  return out;
}

/** The exact expectation, over draws and targets, of a loss and of its gradient with respect to the logits (n). */
export interface Expectation {
  loss: number;
  readonly gradient: Float64Array;
}

/**
 * Runs the functions on tiles for every outcome of S draws from `law` and every target of `truth`, each a block of one row whose tile is the
 * distinct candidates with their multiplicities, and sums with the probabilities. Nothing is sampled.
 */
export function expectation(
  spec: LossSpec,
  logits: readonly number[],
  truth: readonly number[],
  law: readonly number[],
  S: number,
): Expectation {
  const n = logits.length;
  const rig = makeRig(REFERENCE, spec, { C: n, R: 1, T: 1, S });
  rig.offsets.set([0, 1]);
  const out: Expectation = { loss: 0, gradient: new Float64Array(n) };
  for (const { counts, probability } of outcomes(law, S)) {
    for (let t = 0; t < n; t++) addOutcome(out, rig, spec, { logits, law, S, counts, t }, probability * truth[t]!);
  }
  return out;
}

interface Situation {
  readonly logits: readonly number[];
  readonly law: readonly number[];
  readonly S: number;
  readonly counts: Int32Array;
  readonly t: number;
}

function addOutcome(
  out: Expectation,
  rig: Rig,
  spec: LossSpec,
  { logits, law, S, counts, t }: Situation,
  p: number,
): void {
  const drawn = Array.from(counts.keys()).filter((c) => counts[c]! > 0);
  const { ld } = rig.tile;
  const termsOf = (role: "candidate" | "label", ids: readonly number[], add: Float32Array) =>
    candidateTerms(spec, role, {
      from: 0,
      to: ids.length,
      bias: null,
      logQ: Float64Array.from(ids, (c) => Math.log(S * law[c]!)),
      multiplicity: role === "label" ? null : Int32Array.from(ids, (c) => counts[c]!),
      add,
      weight: rig.classWeight,
    });
  termsOf("candidate", drawn, rig.add);
  termsOf("label", [t], rig.labelAdd);
  for (const [j, c] of drawn.entries()) {
    rig.z[j * ld] = c === t && spec.accidentalHits === "remove" ? -Infinity : logits[c]!;
  }
  rig.dot[0] = logits[t]!;
  run(rig, [rig.slice(0, drawn.length)]);
  out.loss += p * rig.losses[0]!;
  out.gradient[t]! += p * rig.dot[0]!;
  for (const [j, c] of drawn.entries()) out.gradient[c]! += p * rig.z[j * ld]!;
}
