import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const ci = readFileSync('.github/workflows/ci.yml', 'utf8');
const nightly = readFileSync('.github/workflows/nightly.yml', 'utf8');
const workflow = ci + nightly;
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  scripts: Record<string, string>;
  engines: { node: string };
};

/** Its jobs, by their names. */
const jobs = Object.fromEntries(
  [...workflow.matchAll(/^ {2}([\w-]+):\n((?: {4}.*\n|\n)+)/gm)].map(([, name, job]) => [
    name,
    job,
  ]),
) as Record<string, string>;

describe('the workflows of GitHub', () => {
  it.each(['test', 'consumers', 'long'])('start the PostgreSQL that %s requires', (job) => {
    expect(jobs[job]).toMatch(/image: postgres:\d+\n[^]*- 5432:5432\n/);
  });

  it.each(['test', 'long'])('start the Redis that %s requires', (job) => {
    expect(jobs[job]).toMatch(/image: redis:\d+\n[^]*- 6379:6379\n/);
  });

  it('install what else the tests need', () => {
    expect(jobs['test']).toContain('redis-server');
  });

  it('run the long tests every night', () => {
    expect(nightly).toMatch(/^ {2}schedule:\n {4}- cron: /m);
    expect(jobs['long']).toContain('npm run test:long');
  });

  it.each(['test', 'consumers'])('runs %s on every Node.js version of engines', (job) => {
    const [, list = ''] = /node: \[(.*)\]/.exec(jobs[job] ?? '') ?? [];
    const versions = list.match(/\d+/g)?.map(Number) ?? [];
    const lowest = manifest.engines.node.match(/(?<![.\d])\d+/g)?.map(Number) ?? [];
    expect(lowest).toEqual([20, 22, 24]);
    expect(versions).toEqual([...lowest, 26]);
  });

  it('lints once, in a separate job', () => {
    const lints = (command = ''): boolean =>
      /\blint\b/.test(command) ||
      [...command.matchAll(/npm (?:run )?(test[\w:]*)/g)].some(([, script = '']) =>
        lints(manifest.scripts[script]),
      );
    expect(Object.keys(jobs).filter((job) => lints(jobs[job]))).toEqual(['lint']);
  });

  it('pins all actions', () => {
    const actions = [...workflow.matchAll(/uses: (\S+)/g)].map(([, action]) => action);
    expect(actions.length).toBeGreaterThan(5);
    for (const action of actions) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
  });

  it('runs commands that exist', () => {
    const named = [...workflow.matchAll(/npm (?:run )?([a-z][\w:-]+)/g)].map(([, name]) => name);
    const known = new Set(['ci', 'install', ...Object.keys(manifest.scripts)]);
    expect(named.filter((name) => !known.has(name as string))).toEqual([]);
  });
});
