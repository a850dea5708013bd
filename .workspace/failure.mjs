/** A command that cannot go on, told in words meant for the person at the terminal: no stack is shown. */
export class CannotRun extends Error {
  name = "CannotRun";
}
