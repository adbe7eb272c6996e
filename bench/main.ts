import { writeFileSync } from 'node:fs';
import { fanIn } from './fan-in.js';
import { fleet } from './fleet.js';
import { fresh } from './fresh.js';
import { guard } from './guard.js';
import { UsageError, parseFlags, usage, type Benchmark } from './harness/command-line.js';
import { environment } from './harness/environment.js';
import { load } from './load.js';
import { memory } from './memory.js';
import { refresh } from './refresh.js';
import { sandbox } from './sandbox.js';
import { scale } from './scale.js';
import { telemetry } from './telemetry.js';
import { webhook } from './webhook.js';

/** By the name that `npm run bench -- NAME` takes; `all` runs them in this order. */
const BENCHMARKS: Record<string, Benchmark> = {
  refresh,
  'fan-in': fanIn,
  fleet,
  fresh,
  guard,
  load,
  memory,
  sandbox,
  scale,
  telemetry,
  webhook,
};

async function main([name = '--help', ...args]: string[]): Promise<void> {
  if (name === '--help' || args.includes('--help')) {
    console.log(usage(BENCHMARKS));
    return;
  }
  // The same flag may mean different things to two benchmarks, so `all` takes none of them.
  const { json, values } = parseFlags(args, name === 'all' ? {} : choose(name).flags);
  const where = environment();
  console.log(`Load of the machine before: ${where.load.toFixed(1)}\n`);
  const results: Record<string, object> = {};
  for (const each of name === 'all' ? Object.keys(BENCHMARKS) : [name]) {
    const chosen = choose(each);
    const { report, data } = await chosen.run({
      ...parseFlags([], chosen.flags).values,
      ...values,
    });
    console.log(`${report}\n`);
    results[each] = data;
  }
  if (json) writeFileSync(json, `${JSON.stringify({ ...where, results }, null, 2)}\n`);
}

function choose(name: string): Benchmark {
  const chosen = Object.hasOwn(BENCHMARKS, name) ? BENCHMARKS[name] : undefined;
  if (chosen === undefined) throw new UsageError(`There is no benchmark "${name}".`);
  return chosen;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof UsageError) {
    console.error(`${error.message}\n\n${usage(BENCHMARKS)}`);
    process.exitCode = 2;
  } else {
    console.error(error);
    process.exitCode = 1;
  }
});
