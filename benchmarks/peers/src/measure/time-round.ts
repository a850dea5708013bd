/** Repeats for at least so long and so often; milliseconds of each time. The Python side has the same loop in its protocol. */
export async function timeRound(work: () => Promise<unknown>, seconds: number, least: number): Promise<number[]> {
  const times: number[] = [];
  const begin = performance.now();
  while (times.length < least || performance.now() - begin < 1000 * seconds) {
    const from = performance.now();
    await work();
    times.push(performance.now() - from);
  }
  return times;
}
