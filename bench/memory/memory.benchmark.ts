import { benchmark } from '../support/benchmark.js';
import { Peer } from '../support/peer.js';
import { progress } from '../support/progress.js';
import { spread } from '../support/statistics.js';
import { table } from '../support/table.js';
import type { HeapTask, HeapUse } from './heap.process.js';

type Subject = HeapTask['subject'];

const SUBJECTS: readonly Subject[] = ['strings', 'transactionId', 'customerUid'];

const TITLES: Record<Subject, string> = {
  strings: 'the three tokens, as bare strings',
  transactionId: 'in memory, by fresh({ transactionId })',
  customerUid: 'in memory, by fresh({ customerUid })',
};

/** Of each subject, in one round. */
type Round = Record<Subject, HeapUse>;

interface Plan {
  transactions: number;
  rounds: number;
}

/** What the memory of `fresh()` takes. */
export const memory = benchmark({
  summary: 'bytes per transaction in the memory of fresh(), beside the bare strings',
  flags: {
    transactions: { help: 'transactions in memory', fallback: 100_000 },
    rounds: { help: 'rounds of new processes', fallback: 3 },
  },
  run: async (plan) => {
    const rounds: Round[] = [];
    for (let number = 1; number <= plan.rounds; number++) {
      progress(`round ${number} of ${plan.rounds} ...`);
      const round = {} as Round;
      for (const subject of SUBJECTS) round[subject] = await measure(subject, plan);
      rounds.push(round);
    }
    return { report: report(plan, rounds), data: { plan, rounds } };
  },
});

async function measure(subject: Subject, { transactions }: Plan): Promise<HeapUse> {
  const peer = new Peer<HeapTask, HeapUse>(new URL('./heap.process.js', import.meta.url));
  try {
    return await peer.ask({ subject, transactions });
  } finally {
    await peer.stop();
  }
}

function report({ transactions, rounds: count }: Plan, rounds: Round[]): string {
  const store = spread(rounds.map((round) => round.customerUid.storeBytes / transactions));
  return [
    `memory: ${transactions} transactions in the memory of fresh()`,
    '',
    'Bytes per transaction, and as a multiple of the bare strings (median, min to max):',
    table([['', 'ratio', 'bytes', ''], ...SUBJECTS.map(row)]),
    '',
    `What the in-memory store keeps beside that is not in these numbers: ${store.median.toFixed(0)} bytes per`,
    'transaction. A shared store has it elsewhere.',
    'Heap after a garbage collection, in a process of its own each: with the tokens in the store',
    `only, and once they all were asked for. ${count} rounds. The tokens are as long as those of the sandbox;`,
    'what else there is for a transaction are its name, its times and the entry of a Map.',
  ].join('\n');

  function row(subject: Subject): string[] {
    const bytes = spread(rounds.map((round) => round[subject].bytes / transactions));
    const ratio = spread(rounds.map((round) => round[subject].bytes / round.strings.bytes));
    return [
      TITLES[subject],
      `${ratio.median.toFixed(2)}x`,
      bytes.median.toFixed(0),
      `(${bytes.min.toFixed(0)} to ${bytes.max.toFixed(0)})`,
    ];
  }
}
