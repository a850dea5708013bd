import {
  ClassIdError,
  drawAlias,
  type Key,
  keyFromSeed,
  philox,
  STREAM,
  stepLow,
  streamWord,
  uniform53,
} from "@logq/core";
import { allocateShared } from "../files/array-file.js";
import { CountedVocabulary, NumberedNames } from "../names/stored-names.js";
import { SPLIT_NAMES, type SyntheticDataset, type SyntheticSplit, type SyntheticTruth } from "../types.js";
import { ClassLaw } from "./class-law.js";
import { buildContextLaw, type ContextLaw } from "./context-law.js";
import { parseSyntheticOptions, type SyntheticOptions } from "./options.js";

/**
 * A dataset whose law is known: a context is drawn from a Zipf law, has a hidden topic, and the class is drawn from the Zipf law of all
 * classes tilted towards those the topic is home to. So the best reachable cross-entropy is known exactly, in nats, and also
 * what a model that ignores its input reaches. Every draw is O(1) and addressed by (seed, part, example): more examples extend a
 * dataset, they do not change it. A million classes take about half a second.
 * @throws OptionError
 */
export function syntheticDataset(options: SyntheticOptions): SyntheticDataset {
  const parsed = parseSyntheticOptions(options);
  const key = keyFromSeed(parsed.seed);
  const contextLaw = buildContextLaw(key, parsed);
  const classLaw = new ClassLaw(key, parsed, contextLaw.topicProbability);
  const sizes = [parsed.examples, parsed.validationExamples, parsed.testExamples];
  const [train, validation, test] = SPLIT_NAMES.map((_, part) =>
    drawExamples(key, { part, examples: sizes[part] }, contextLaw, classLaw),
  );
  const counts = allocateShared("float64", parsed.classes);
  for (let i = 0; i < train.targets.length; i++) counts[train.targets[i]]++;
  return {
    kind: "synthetic",
    classes: new CountedVocabulary(new NumberedNames(parsed.classes, "class "), counts),
    contexts: parsed.contexts,
    splits: { train, validation, test },
    truth: truthOf(contextLaw, classLaw, parsed),
    options: { ...parsed },
  };
}

const BLOCKS = 3;

function drawExamples(
  key: Key,
  { part, examples }: { part: number; examples: number },
  contextLaw: ContextLaw,
  classLaw: ClassLaw,
): SyntheticSplit {
  const inputs = allocateShared("int32", examples);
  const targets = allocateShared("int32", examples);
  const block = new Uint32Array(4);
  const uniforms = new Float64Array(2 * BLOCKS);
  const low = stepLow(part);
  const word = streamWord(STREAM.syntheticExamples, part);
  for (let example = 0; example < examples; example++) {
    for (let i = 0; i < BLOCKS; i++) {
      philox(key, i, example, low, word, block);
      uniforms[2 * i] = uniform53(block[0], block[1]);
      uniforms[2 * i + 1] = uniform53(block[2], block[3]);
    }
    const context = drawAlias(contextLaw.table, uniforms[0], uniforms[1]);
    inputs[example] = context;
    targets[example] = classLaw.draw(contextLaw.topic[context], uniforms, 2);
  }
  return { inputs, targets };
}

function truthOf(
  contextLaw: ContextLaw,
  classLaw: ClassLaw,
  { classes, contexts, contextExponent }: { classes: number; contexts: number; contextExponent: number },
): SyntheticTruth {
  const { topic, topicProbability, mass } = contextLaw;
  const topicOf = (context: number) => topic[requireBelow("context", context, contexts)];
  const logProbability = (context: number, classId: number) =>
    classLaw.logProbability(topicOf(context), requireBelow("class", classId, classes));
  return {
    bestCrossEntropy: topicProbability.reduce((sum, p, k) => sum + (p > 0 ? p * classLaw.entropy(k) : 0), 0),
    unigramCrossEntropy: classLaw.marginalEntropy(topicProbability),
    topicOf,
    contextProbability: (context) => (requireBelow("context", context, contexts) + 1) ** -contextExponent / mass,
    logProbability,
    crossEntropyOf: ({ inputs, targets }) => {
      let sum = 0;
      for (let i = 0; i < inputs.length; i++) sum -= logProbability(inputs[i], targets[i]);
      return sum / inputs.length;
    },
  };
}

function requireBelow(name: string, id: number, size: number): number {
  if (Number.isInteger(id) && id >= 0 && id < size) return id;
  throw new ClassIdError(`${name} ${id} is not in [0, ${size})`, { name, id, size });
}
