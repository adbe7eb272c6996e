import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const APPROVED = resolve(import.meta.dirname, '../../approved');

/**
 * Ends a run of Jest with lists: the tests that were skipped because a server or program is missing,
 * those that passed only when they were repeated, and, which is a failure, the approved files that no
 * spec compares any more.
 */
export default class EndOfRunReporter {
  #isWatching;
  #approved;
  #stale;

  /** @param approved the folder of the approved files, and of their specs */
  constructor({ watch, watchAll }, { approved = APPROVED } = {}) {
    this.#isWatching = watch || watchAll;
    this.#approved = approved;
  }

  onRunComplete(_contexts, { testResults }) {
    this.#stale = staleIn(this.#approved, testResults);
    const lists = [skippedIn(testResults), repeatedIn(testResults), this.#stale];
    const text = lists.filter(Boolean).join('');
    if (text === '') return;
    // Jest prints its own summary after all reporters.
    if (this.#isWatching) process.stderr.write(text);
    else process.once('exit', () => process.stderr.write(text));
  }

  /** An error makes the run fail; Jest does not print it. */
  getLastError() {
    return this.#stale && new Error(this.#stale);
  }
}

/** Only if every test of every spec beside the files has passed. */
function staleIn(folder, testResults) {
  const names = readdirSync(folder, { recursive: true });
  const passed = new Map(
    testResults
      .filter(({ testResults: tests }) => tests.every(({ status }) => status === 'passed'))
      .map(({ testFilePath, approvedFiles }) => [testFilePath, approvedFiles]),
  );
  const specs = names.filter((name) => name.endsWith('.spec.ts')).map((name) => join(folder, name));
  if (!specs.every((spec) => passed.has(spec))) return undefined;
  const compared = new Set(specs.flatMap((spec) => passed.get(spec)));
  const stale = names.filter(
    (name) => /\.(txt|json)$/.test(name) && !compared.has(join(folder, name)),
  );
  if (stale.length === 0) return undefined;
  const lines = stale.toSorted().map((name) => `  ${name}`);
  return `\nNo spec compares these approved files any more; delete them:\n${lines.join('\n')}\n`;
}

function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function skippedIn(testResults) {
  const skipped = new Map();
  for (const { testResults: tests, testFilePath } of testResults) {
    for (const { ancestorTitles } of tests) {
      const [, requirement] = /^Skipped, needs (.*)/.exec(ancestorTitles.join('\n')) ?? [];
      if (requirement === undefined) continue;
      const entry = skipped.get(requirement) ?? { tests: 0, files: new Set() };
      entry.tests += 1;
      entry.files.add(testFilePath);
      skipped.set(requirement, entry);
    }
  }
  if (skipped.size === 0) return undefined;
  const lines = [...skipped].toSorted().map(([requirement, { tests, files }]) => {
    const where = `${counted(tests, 'test')} in ${counted(files.size, 'file')}`;
    return `  ${where.padEnd(22)} need ${requirement}`;
  });
  return `\nSkipped here:\n${lines.join('\n')}\n`;
}

function repeatedIn(testResults) {
  const repeated = testResults.flatMap(({ testResults: tests }) =>
    tests.filter(({ status, invocations }) => status === 'passed' && invocations > 1),
  );
  if (repeated.length === 0) return undefined;
  const lines = repeated.map(({ fullName }) => `  ${fullName}`);
  return `\nPassed only when repeated; the reasons are above:\n${lines.join('\n')}\n`;
}
