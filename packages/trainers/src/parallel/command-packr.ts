import { Packr } from "msgpackr";

/** The encoder of commands: typed arrays stay typed arrays. It stands alone, so that workers load it without the pool they run in. */
export const commandPackr = new Packr({ moreTypes: true, useRecords: false });
