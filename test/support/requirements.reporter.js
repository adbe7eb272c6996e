/** Ends a run of Jest with a list of the tests that were skipped because a server or program is missing. */
export default class RequirementsReporter {
  #isWatching;

  constructor({ watch, watchAll }) {
    this.#isWatching = watch || watchAll;
  }

  onRunComplete(_contexts, { testResults }) {
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
    if (skipped.size === 0) return;
    const lines = [...skipped].toSorted().map(([requirement, { tests, files }]) => {
      const where = `${tests} tests in ${files.size} ${files.size === 1 ? 'file' : 'files'}`;
      return `  ${where.padEnd(22)} need ${requirement}`;
    });
    const list = `\nSkipped here:\n${lines.join('\n')}\n`;
    // Jest prints its own summary after all reporters.
    if (this.#isWatching) process.stderr.write(list);
    else process.once('exit', () => process.stderr.write(list));
  }
}
