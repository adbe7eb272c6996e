import { describeCalls, ratioOf, startCalls, timesOf, type CallTimes } from './harness/calls.js';
import { benchmark } from './harness/command-line.js';
import { SPREAD_TITLES, cells, table } from './harness/report.js';

/** What checking a webhook costs. */
export const webhook = benchmark({
  summary: 'checks of signed webhooks, compared with a bare HMAC and the official SDK',
  flags: {
    starts: { help: 'starts of new processes', fallback: 10 },
    bytes: { help: 'bytes of the body', fallback: 1_024 },
  },
  run: async (plan) => {
    const file = new URL('./webhook.process.js', import.meta.url);
    const starts = await startCalls('webhook', file, plan.starts, [`${plan.bytes}`]);
    const [base = '', ...others] = Object.keys(starts[0] ?? {});
    const report = [
      `webhook: checks of signed webhooks of ${plan.bytes} bytes`,
      '',
      `Time of a check as a multiple of that of a ${base}:`,
      table([
        ['', ...SPREAD_TITLES, 'us'],
        ...[base, ...others].map((title) => row(starts, title, base)),
      ]),
      '',
      'How it was measured:',
      '  1.0 costs no more than computing the HMAC that every check needs. Ours also compares in constant',
      '  time, checks the age in both directions, and reads the body into what the handler gets; the',
      '  others do none of that. Every check must accept the webhook.',
      ...describeCalls(plan.starts),
    ].join('\n');
    return { report, data: { plan, starts } };
  },
});

function row(starts: readonly CallTimes[], title: string, base: string): string[] {
  const us = timesOf(starts, title).median / 1_000;
  return [title, ...cells(ratioOf(starts, title, base), 2, 'x'), us.toFixed(2)];
}
