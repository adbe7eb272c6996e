import { fanIn } from './fan-in/fan-in.benchmark.js';
import { fleet } from './fleet/fleet.benchmark.js';
import { fresh } from './fresh/fresh.benchmark.js';
import { guard } from './guard/guard.benchmark.js';
import { memory } from './memory/memory.benchmark.js';
import { refresh } from './refresh/refresh.benchmark.js';
import { sandbox } from './sandbox/sandbox.benchmark.js';
import type { Benchmark } from './support/benchmark.js';
import { webhook } from './webhook/webhook.benchmark.js';

/** By the name that `npm run bench -- NAME` takes; `all` runs them in this order. */
export const BENCHMARKS: Record<string, Benchmark> = {
  refresh,
  'fan-in': fanIn,
  fleet,
  fresh,
  guard,
  memory,
  sandbox,
  webhook,
};
