import { PerformanceObserver, constants, type PerformanceEntry } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import type { Turn } from './turns.js';

/** What Node.js tells of a garbage collection. */
interface Collection {
  detail: { kind: number; flags: number };
}

/**
 * Collects garbage, so that no turn pays for that of the turn before; needs `--expose-gc`. It is a
 * minor collection: a major one, while nothing is in flight, would also drop what V8 knows about
 * the objects of a call, and the compiled code with it, and a call would cost three times as much
 * for a while.
 */
function collectGarbage(): void {
  globalThis.gc?.({ type: 'minor' } as never);
}

/** Counts the major garbage collections of this process, without those that `gc()` forces. */
class MajorCollections {
  #count = 0;

  constructor() {
    new PerformanceObserver((list) => {
      this.#count += list.getEntries().filter(isUnforcedMajor).length;
    }).observe({ type: 'gc' });
  }

  /** How many there were since the last call. */
  async take(): Promise<number> {
    // Node.js reports a collection a moment after it.
    await setTimeout(20);
    const count = this.#count;
    this.#count = 0;
    return count;
  }
}

const collections = new MajorCollections();

/** Measures work in this process. @param work resolves to how much it has done */
export async function measureTurn(work: () => Promise<number>): Promise<Turn> {
  collectGarbage();
  await collections.take();
  const cpu = process.cpuUsage();
  const start = performance.now();
  const done = await work();
  const wallMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return {
    done,
    wallMs,
    cpuMs: (user + system) / 1_000,
    majorCollections: await collections.take(),
  };
}

function isUnforcedMajor(entry: PerformanceEntry): boolean {
  const { kind, flags } = (entry as PerformanceEntry & Collection).detail;
  const isForced = (flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0;
  return kind === constants.NODE_PERFORMANCE_GC_MAJOR && !isForced;
}
