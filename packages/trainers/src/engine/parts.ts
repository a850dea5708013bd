import { Encoder } from "@logq/encoders";
import type { Address, Kernels } from "@logq/kernels";
import type { Team } from "../parallel/team.js";
import type { AdaptiveScratch } from "./adaptive/adaptive-space.js";
import { type EngineInput, openKernels } from "./engine-input.js";
import { scratchAt, type TileShape } from "./full-space.js";
import { FullWalk } from "./full-walk.js";
import type { EngineLayout } from "./layout.js";
import type { EngineSpec } from "./spec.js";
import { type EngineTables, openTables } from "./tables.js";
import { Temperature } from "./temperature.js";

/** What steps and evaluations of one thread are made from. */
export interface EngineParts {
  readonly team: Team;
  readonly spec: EngineSpec;
  readonly layout: EngineLayout;
  readonly kernels: Kernels;
  /** Over every bank, in order. */
  readonly banks: readonly Kernels[];
  readonly tables: EngineTables;
  readonly encoder: Encoder;
  readonly temperature: Temperature;
  /** Of this thread alone, layout.scratchBytes long. */
  readonly scratch: Address;
  /** An adaptive softmax only: the same for clusters, behind what other units write to. */
  readonly clusters: AdaptiveScratch | undefined;
}

export function openParts(input: EngineInput, team: Team): EngineParts {
  const { spec, layout } = input;
  const { kernels, banks } = openKernels(input, team.profile);
  const tables = openTables(kernels, banks, spec, layout, team.index);
  const scratch = layout.scratch + team.index * layout.scratchBytes;
  const own = layout.adaptive?.scratch;
  return {
    team,
    spec,
    layout,
    kernels,
    banks,
    tables,
    encoder: new Encoder(spec.encoder, layout.encoder, kernels, tables.embeddingApart),
    temperature: new Temperature(kernels, spec, layout),
    scratch,
    clusters: own && scratchAt(own, scratch + layout.scratchBytes - own.end),
  };
}

/** The walk over all classes, in tiles of a shape. @param kernels a training step's or an evaluation's */
export function openFullWalk(parts: EngineParts, kernels: Kernels, shape: TileShape): FullWalk {
  const { spec, layout, encoder, tables, scratch, temperature } = parts;
  return new FullWalk(kernels, spec, layout, encoder, tables.classes, scratch, shape, temperature);
}
