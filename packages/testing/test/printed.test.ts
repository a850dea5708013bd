import { expect, it } from "vitest";
import { Printed } from "../src/index.js";

it("what is printed is kept in order, both outputs apart", () => {
  const printed = new Printed();
  const { out, err } = printed.output;
  out("a\n");
  err("c");
  out("b");
  expect([printed.out, printed.err]).toEqual(["a\nb", "c"]);
  expect(new Printed().out).toBe("");
});
