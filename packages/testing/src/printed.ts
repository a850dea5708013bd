/** What a program printed: its `output` is where it prints to. */
export class Printed {
  out = "";
  err = "";
  readonly output = {
    out: (text: string) => {
      this.out += text;
    },
    err: (text: string) => {
      this.err += text;
    },
  };
}
