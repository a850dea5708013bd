import { OptionError, requireNumber, requireOneOf } from "@logq/core";
import { EXPECTED_COUNTS, SAMPLER_NAMES, type SamplerSpec, type ValidSamplerSpec } from "./types.js";

const DEFAULTS = { replacement: true, distortion: 1, smoothing: 0, expectedCount: "exact" } as const;
const FIELDS = ["name", "replacement", "distortion", "smoothing", "expectedCount"];

/**
 * Checks a spec that may come from anywhere and fills in the defaults: with replacement, distortion 1, smoothing 0, exact.
 * @throws OptionError for an unknown field, a value out of range, or an option other than the default that the named sampler does not have
 */
export function validateSamplerSpec(spec: SamplerSpec): ValidSamplerSpec {
  if (typeof spec !== "object" || spec === null) {
    throw new OptionError(`a sampler spec must be an object, not ${spec}`, { value: spec });
  }
  for (const field of Object.keys(spec)) requireOneOf("a field of a sampler spec", field, FIELDS);
  const name = requireOneOf("sampler", spec.name, SAMPLER_NAMES);
  const replacement = spec.replacement ?? DEFAULTS.replacement;
  if (typeof replacement !== "boolean") {
    throw new OptionError(`replacement must be true or false, not ${replacement}`, {
      name: "replacement",
      replacement,
    });
  }
  if (name !== "unigram") refuse(spec, ["distortion", "smoothing"]);
  if (name === "given") refuse(spec, ["replacement", "expectedCount"]);
  return {
    name,
    replacement,
    distortion: requireNumber("distortion", spec.distortion ?? DEFAULTS.distortion, 0, 4),
    smoothing: requireNumber("smoothing", spec.smoothing ?? DEFAULTS.smoothing, 0),
    expectedCount: requireOneOf("expectedCount", spec.expectedCount ?? DEFAULTS.expectedCount, EXPECTED_COUNTS),
  };
}

function refuse(spec: SamplerSpec, fields: readonly (keyof typeof DEFAULTS)[]): void {
  for (const field of fields) {
    if (spec[field] !== undefined && spec[field] !== DEFAULTS[field]) {
      throw new OptionError(`the sampler ${spec.name} has no option ${field}`, {
        sampler: spec.name,
        name: field,
        value: spec[field],
      });
    }
  }
}
