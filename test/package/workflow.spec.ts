import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const workflow = readFileSync('.github/workflows/ci.yml', 'utf8');
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

describe('the workflow of GitHub', () => {
  it('gives the tests the servers without which they fail in CI', () => {
    expect(jobs['test']).toMatch(/image: postgres:\d+\n[^]*- 5432:5432\n/);
    expect(jobs['test']).toMatch(/image: redis:\d+\n[^]*- 6379:6379\n/);
    expect(jobs['test']).toContain('redis-server');
  });

  it.each(['test', 'consumers'])('runs %s on every line of Node.js that engines has', (job) => {
    const [, list = ''] = /node: \[(.*)\]/.exec(jobs[job] ?? '') ?? [];
    const versions = list.match(/\d+/g)?.map(Number) ?? [];
    const lowest = manifest.engines.node.match(/(?<![.\d])\d+/g)?.map(Number) ?? [];
    expect(lowest).toEqual([20, 22, 24]);
    expect(versions).toEqual([...lowest, 26]);
  });

  it('lints once, in a job of its own', () => {
    const lints = (command = ''): boolean =>
      /run lint\b/.test(command) ||
      [...command.matchAll(/npm (?:run )?(test[\w:]*)/g)].some(([, script = '']) =>
        lints(manifest.scripts[script]),
      );
    expect(Object.keys(jobs).filter((job) => lints(jobs[job]))).toEqual(['lint']);
  });

  it('uses no action that may change', () => {
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
