import { deflateSync } from 'node:zlib';

/** Milliseconds of the work below on a machine that is fast enough for tests of many processes. */
const USUAL_MS = 60;
const TIMES = 9;
const MAX = 8;

let measured: number | undefined;

/**
 * How many times slower than usual this machine is now, from 1 to 8. Tests of several processes and
 * real clocks multiply their times by it.
 */
export function slowness(): number {
  measured ??= Math.min(Math.max(Math.round(workMs() / USUAL_MS), 1), MAX);
  return measured;
}

/**
 * The median of a few runs. The work is native code: JavaScript would be several times slower until
 * it is optimized, and that takes the longer the busier the machine is.
 */
function workMs(): number {
  const text = Buffer.from(Array.from({ length: 100_000 }, (_, number) => number ** 2).join());
  const times = Array.from({ length: TIMES }, () => {
    const start = performance.now();
    deflateSync(text);
    return performance.now() - start;
  });
  return times.toSorted((a, b) => a - b)[Math.floor(TIMES / 2)] as number;
}
