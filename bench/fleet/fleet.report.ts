import { spread, type Spread } from '../support/statistics.js';
import { table } from '../support/table.js';
import { CONTESTANTS, GOAL, STORES, TITLES, type Contestant } from './contestants.js';
import type { Plan, Result, Round } from './measure.js';

/** For the terminal: the ratios first. */
export function report(plan: Plan, rounds: Round[]): string {
  const present = CONTESTANTS.filter((contestant) => rounds[0]?.[contestant] !== undefined);
  return [
    'fleet: exchanges that several processes make, beside what one process alone makes',
    '',
    'Exchanges as a multiple of those of one process alone (median, min to max):',
    table([['', 'ratio', '', 'goal', ''], ...present.map((each) => ratioRow(each, rounds))]),
    '',
    'All rounds together:',
    table([
      ['', 'exchanges', 'early', 'at once, at most', 'calls', 'failed', 'ended tokens'],
      ...present.map((each) => countRow(each, rounds)),
    ]),
    '',
    'What a call takes, in milliseconds (median of the rounds); it says something about this machine only:',
    table([
      ['', 'median', '99 of 100 below', 'slowest'],
      ...present.map((each) => timeRow(each, rounds)),
    ]),
    '',
    ...method(plan),
  ].join('\n');
}

/** Exchanges of a contestant, as a multiple of those of one process alone in the same round. */
export function ratioOf(contestant: Contestant, rounds: Round[]): Spread {
  return spread(
    rounds.map((round) => {
      const [own, alone] = [round[contestant], round.alone] as [Result, Result];
      return own.exchanges / alone.exchanges;
    }),
  );
}

function ratioRow(contestant: Contestant, rounds: Round[]): string[] {
  const { median, min, max } = ratioOf(contestant, rounds);
  const hasGoal = STORES.some((store) => store === contestant);
  return [
    TITLES[contestant],
    times(median),
    `(${times(min)} to ${times(max)})`,
    hasGoal ? `<= ${times(GOAL)}` : '',
    hasGoal ? (median <= GOAL ? 'met' : 'MISSED') : '',
  ];
}

function countRow(contestant: Contestant, rounds: Round[]): string[] {
  const results = resultsOf(contestant, rounds);
  const sum = (of: (result: Result) => number): string =>
    `${results.reduce((total, result) => total + of(result), 0)}`;
  return [
    TITLES[contestant],
    sum(({ exchanges }) => exchanges),
    sum(({ early }) => early),
    `${Math.max(...results.map(({ mostAtOnce }) => mostAtOnce))}`,
    sum(({ calls }) => calls),
    sum(({ failed }) => failed),
    sum(({ ended }) => ended),
  ];
}

function timeRow(contestant: Contestant, rounds: Round[]): string[] {
  const results = resultsOf(contestant, rounds);
  const of = (pick: (result: Result) => number): string =>
    (spread(results.map(pick)).median / 1_000).toFixed(3);
  return [
    TITLES[contestant],
    of(({ median }) => median),
    of(({ p99 }) => p99),
    of(({ slowest }) => slowest),
  ];
}

function resultsOf(contestant: Contestant, rounds: Round[]): Result[] {
  return rounds.map((round) => round[contestant] as Result);
}

function method({ seconds, rounds, processes, callers, transactions, lifetime }: Plan): string[] {
  return [
    'How it was measured:',
    `  ${processes} processes with ${callers} callers each, or one with all of them, ask for tokens of`,
    `  ${transactions} transactions at random, each caller some 100 times a second. Tokens live for ${lifetime} s;`,
    '  an exchange takes the API 20 ms, over TLS, in a process of its own.',
    `  They took turns of ${(seconds / rounds).toFixed(1)} s, one at a time, in ${rounds} rounds, each beginning with another one;`,
    `  the ${lifetime} s before each turn, in which a fleet gets its first tokens, do not count.`,
    '  The ideal is what one process alone exchanges that has the same code, the same callers and no',
    '  store to share: nobody else can be in its way, and it renews at the same 75 to 80 % of the life.',
    '  Early is an exchange within 70 % of the life of the tokens before it; an ended token was past its',
    "  end when it was handed out, by the API's clock. The API counts; every token is checked to be the",
    "  transaction's own. The stores are encrypted.",
    '  What one call in a hundred waits for is a read of the store: its process was not asked for that',
    '  transaction while the tokens were being renewed, and the ones it had came to their end.',
    '  The SDK refreshes as each of its methods does before it calls the API, with tokens that the',
    '  process keeps in memory for each transaction; it knows of no other caller, and of no other process.',
  ];
}

function times(ratio: number): string {
  return `${ratio.toFixed(2)}x`;
}
