import { FeatureSource } from "./features.js";
import { InteractionSource, RankingSource, UserSource } from "./interactions.js";
import { ListSource, PairSource } from "./lists.js";
import type { Source, SourceSpec } from "./source.js";
import { WindowSource } from "./window.js";

export function createSource(spec: SourceSpec): Source {
  switch (spec.kind) {
    case "window":
      return new WindowSource(spec);
    case "user":
    case "history":
      return new InteractionSource(spec);
    case "user-items":
      return new UserSource(spec);
    case "user-ranking":
    case "history-ranking":
      return new RankingSource(spec);
    case "features":
      return new FeatureSource(spec);
    case "pair":
      return new PairSource(spec);
    case "list":
      return new ListSource(spec);
  }
}
