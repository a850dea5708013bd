import { type AliasTable, buildAliasTable, type Key, philox, STREAM, stepLow, streamWord } from "@logq/core";
import type { ParsedSyntheticOptions } from "./options.js";

/** The two independent tables of hidden topics, by their address in the stream. */
export const TOPICS_OF = { classes: 0, contexts: 1 } as const;

/** How often each context is met, and its topic. 16 bytes a context. */
export interface ContextLaw {
  /** (contexts), in [0, topics) */
  readonly topic: Uint16Array;
  /** Draws a context. */
  readonly table: AliasTable;
  /** (topics), probability that an example has this topic; sums to 1. */
  readonly topicProbability: Float64Array;
  /** Σ (i+1)^−exponent over the contexts. */
  readonly mass: number;
}

export function buildContextLaw(key: Key, options: ParsedSyntheticOptions): ContextLaw {
  const { contexts, topics, contextExponent } = options;
  const topic = drawTopics(key, contexts, topics, TOPICS_OF.contexts);
  const weights = new Float64Array(contexts);
  const topicProbability = new Float64Array(topics);
  let mass = 0;
  for (let i = 0; i < contexts; i++) {
    weights[i] = (i + 1) ** -contextExponent;
    topicProbability[topic[i]] += weights[i];
    mass += weights[i];
  }
  for (let k = 0; k < topics; k++) topicProbability[k] /= mass;
  return { topic, table: buildAliasTable(weights), topicProbability, mass };
}

/** A uniform topic for each of `count` things; `what` tells apart the kinds of things. */
export function drawTopics(key: Key, count: number, topics: number, what: number): Uint16Array {
  const drawn = new Uint16Array(count);
  const block = new Uint32Array(4);
  const low = stepLow(what);
  const word = streamWord(STREAM.syntheticTruth, what);
  for (let i = 0; i < count; i++) {
    if ((i & 3) === 0) philox(key, i >>> 2, 0, low, word, block);
    drawn[i] = Math.floor((block[i & 3] / 2 ** 32) * topics);
  }
  return drawn;
}
