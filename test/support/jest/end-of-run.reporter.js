/**
 * Ends a run of Jest with two lists: the tests that were skipped because a server or program is missing,
 * and those that passed only when they were repeated.
 */
export default class EndOfRunReporter {
  #isWatching;

  constructor({ watch, watchAll }) {
    this.#isWatching = watch || watchAll;
  }

  onRunComplete(_contexts, { testResults }) {
    const text = [skippedIn(testResults), repeatedIn(testResults)].filter(Boolean).join('');
    if (text === '') return;
    // Jest prints its own summary after all reporters.
    if (this.#isWatching) process.stderr.write(text);
    else process.once('exit', () => process.stderr.write(text));
  }
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
    const where = `${tests} tests in ${files.size} ${files.size === 1 ? 'file' : 'files'}`;
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
