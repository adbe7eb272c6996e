import { benchmark } from './harness/command-line.js';
import { askOnce } from './harness/peer.js';
import { SPREAD_TITLES, cells, progress, table } from './harness/report.js';
import { spread, type Spread } from './harness/statistics.js';
import type { HeapTask, HeapUse } from './memory.process.js';

type Subject = HeapTask['subject'];

const TITLES: Record<Subject, string> = {
  strings: 'the three tokens, as bare strings',
  transactionId: 'in memory, by fresh({ transactionId })',
  customerUid: 'in memory, by fresh({ customerUid })',
};
const SUBJECTS = Object.keys(TITLES) as Subject[];

/** Each subject in a process of its own. */
type Start = Record<Subject, HeapUse>;

/** How much memory the cache of `fresh()` takes. */
export const memory = benchmark({
  summary: 'bytes per transaction in the memory of fresh(), compared with the bare strings',
  flags: {
    transactions: { help: 'transactions in memory', fallback: 100_000 },
    starts: { help: 'starts of new processes', fallback: 3 },
  },
  run: async (plan) => {
    const { transactions } = plan;
    const file = new URL('./memory.process.js', import.meta.url);
    const starts: Start[] = [];
    for (let number = 1; number <= plan.starts; number++) {
      progress(`memory: start ${number} of ${plan.starts} ...`);
      const start: Partial<Start> = {};
      for (const subject of SUBJECTS) {
        const task: HeapTask = { subject, transactions };
        start[subject] = await askOnce(file, task, { flags: ['--expose-gc'] });
      }
      starts.push(start as Start);
    }
    const bytes = (subject: Subject): Spread =>
      spread(starts.map((start) => start[subject].bytes / transactions));
    const ratio = (subject: Subject): Spread =>
      spread(starts.map((start) => start[subject].bytes / start.strings.bytes));
    const store = spread(starts.map((start) => start.customerUid.storeBytes / transactions));
    const report = [
      `memory: ${transactions} transactions in the memory of fresh()`,
      '',
      'Bytes per transaction as a multiple of the bare strings:',
      table([
        ['', ...SPREAD_TITLES, 'bytes'],
        ...SUBJECTS.map((subject) => [
          TITLES[subject],
          ...cells(ratio(subject), 2, 'x'),
          bytes(subject).median.toFixed(0),
        ]),
      ]),
      '',
      'How it was measured:',
      '  The heap after a garbage collection: with the tokens only in the store, and after all of them',
      '  were asked for. The tokens are as long as those of the sandbox. Besides them, a transaction has',
      `  its name, its times and the entry of a Map. The in-memory store, which takes ${store.median.toFixed(0)} bytes per`,
      '  transaction, is not counted; a shared store keeps them elsewhere.',
    ].join('\n');
    return { report, data: { plan, starts } };
  },
});
