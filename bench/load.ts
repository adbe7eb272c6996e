import { benchmark } from './harness/command-line.js';
import { askOnce } from './harness/peer.js';
import { SPREAD_TITLES, atMost, cells, progress, table } from './harness/report.js';
import { spread } from './harness/statistics.js';
import type { LoadTimes } from './load.process.js';

/** Of the package, as a multiple of what every application with it imports anyway. */
const GOAL = 0.15;

const TITLES: Record<keyof LoadTimes, string> = {
  peersMs: 'Nest, axios, class-validator, config',
  packageMs: 'then the package',
  undiciMs: 'then undici, with the first request',
};

/** How much longer an application takes to start because it imports the package. */
export const load = benchmark({
  summary: 'import of the package, compared with that of Nest, axios and class-validator',
  flags: { starts: { help: 'starts of new processes', fallback: 21 } },
  run: async (plan) => {
    const file = new URL('./load.process.js', import.meta.url);
    const starts: LoadTimes[] = [];
    for (let start = 1; start <= plan.starts; start++) {
      progress(`load: start ${start} of ${plan.starts} ...`);
      starts.push(await askOnce(file, 'load'));
    }
    const share = spread(starts.map(({ packageMs, peersMs }) => packageMs / peersMs));
    const names = Object.keys(TITLES) as (keyof LoadTimes)[];
    const report = [
      'load: import of the package',
      '',
      'The package, as a multiple of what comes before it:',
      table([
        ['', ...SPREAD_TITLES, 'goal', ''],
        ['import', ...cells(share, 2, 'x'), ...atMost(share, GOAL)],
      ]),
      '',
      'Milliseconds in a new process, which say something about this machine only:',
      table([
        ['', ...SPREAD_TITLES],
        ...names.map((name) => [
          TITLES[name],
          ...cells(spread(starts.map((times) => times[name])), 0),
        ]),
      ]),
    ].join('\n');
    return { report, data: { plan, starts } };
  },
});
