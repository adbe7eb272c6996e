import { writeFileSync } from 'node:fs';
import { BENCHMARKS } from './benchmarks.js';
import type { Benchmark } from './support/benchmark.js';
import { environment } from './support/environment.js';
import { UsageError, parseFlags } from './support/flags.js';
import { usage } from './support/usage.js';

async function main([name = '--help', ...args]: string[]): Promise<void> {
  if (name === '--help' || args.includes('--help')) {
    console.log(usage(BENCHMARKS));
    return;
  }
  // Two benchmarks may mean different things by the same flag, so `all` takes none of them.
  const { json, values } = parseFlags(args, name === 'all' ? {} : choose(name).flags);
  const where = environment();
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
