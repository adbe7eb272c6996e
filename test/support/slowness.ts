/** What the loop below takes on a machine on which tests of many processes keep up with their clocks. */
const USUAL_MS = 100;
const [LOOPS, TIMES] = [3e7, 5];
const MOST = 8;

let measured: number | undefined;

/**
 * How many times longer than usual this machine takes now, from 1 to 8. Tests of several processes and
 * real clocks stretch their times by it.
 */
export function slowness(): number {
  measured ??= Math.min(Math.max(Math.ceil(loopMs() / USUAL_MS), 1), MOST);
  return measured;
}

/** The median of a few runs. */
function loopMs(): number {
  const times = Array.from({ length: TIMES }, () => {
    const start = performance.now();
    let sum = 0;
    for (let n = 0; n < LOOPS; n++) sum = (sum * 31 + n) | 0;
    return performance.now() - start + (sum & 0);
  });
  return times.toSorted((a, b) => a - b)[Math.floor(TIMES / 2)] as number;
}
