import { benchmark } from '../support/benchmark.js';
import { spread } from '../support/statistics.js';
import { table } from '../support/table.js';
import { BARE } from './contestants.js';
import { measure, type Round } from './measure.js';

/** What checking a webhook costs. */
export const webhook = benchmark({
  summary: 'checks of signed webhooks beside a bare HMAC and the official SDK',
  flags: {
    rounds: { help: 'rounds', fallback: 31 },
    checks: { help: 'checks of each in a round', fallback: 20_000 },
    bytes: { help: 'bytes of the body', fallback: 1_024 },
  },
  run: async (plan) => {
    const rounds = await measure(plan);
    return { report: report(plan.bytes, rounds), data: { plan, rounds } };
  },
});

function report(bytes: number, rounds: Round[]): string {
  return [
    `webhook: checks of signed webhooks of ${bytes} bytes`,
    '',
    'Checks per second on one core, as a share of those of a bare HMAC (median, min to max):',
    table([['', 'share', '', 'per second'], ...Object.keys(rounds[0] ?? {}).map(row)]),
    '',
    'A share of 1.00 costs no more than computing the HMAC that every check needs. Ours also compares in',
    'constant time, checks the age in both directions, and reads the body into what the handler gets;',
    'the others do none of that. All took turns; shares are made within a round. Checks per second say',
    'something about this machine only.',
  ].join('\n');

  function row(title: string): string[] {
    const share = spread(rounds.map((round) => (round[title] ?? 0) / (round[BARE] ?? 1)));
    const perSecond = spread(rounds.map((round) => round[title] ?? 0));
    return [
      title,
      share.median.toFixed(2),
      `(${share.min.toFixed(2)} to ${share.max.toFixed(2)})`,
      Math.round(perSecond.median).toString(),
    ];
  }
}
