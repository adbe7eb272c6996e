import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryDirectory } from '../support/directories.js';

/** Without the lines that are comments. */
const workflowOf = (name: string): string =>
  readFileSync(`.github/workflows/${name}.yml`, 'utf8').replaceAll(/^ *#.*\n/gm, '');

const ci = workflowOf('ci');
const nightly = workflowOf('nightly');
const release = workflowOf('release');
const workflow = ci + nightly + release;
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  scripts: Record<string, string>;
  engines: { node: string };
};

const NPM_COMMANDS = ['ci', 'install', 'pkg', 'publish', 'sbom'];

/** Its jobs, by their names. */
const jobs = Object.fromEntries(
  [...workflow.matchAll(/^ {2}([\w-]+):\n((?: {4}.*\n|\n)+)/gm)].map(([, name, job]) => [
    name,
    job,
  ]),
) as Record<string, string>;

describe('the workflows of GitHub', () => {
  it.each(['test', 'consumers', 'long', 'release'])(
    'start the PostgreSQL that %s requires',
    (job) => {
      expect(jobs[job]).toMatch(/image: postgres:\d+\n[^]*- 5432:5432\n/);
    },
  );

  it.each(['test', 'long', 'release'])('start the Redis that %s requires', (job) => {
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
    const known = new Set([...NPM_COMMANDS, ...Object.keys(manifest.scripts)]);
    expect(named.filter((name) => !known.has(name as string))).toEqual([]);
  });
});

describe('a release', () => {
  it('is made by a tag, with provenance, without a token that could be stolen', () => {
    expect(release).toMatch(/^on:\n {2}push:\n {4}tags: /m);
    expect(release).toMatch(/npm publish --provenance/);
    expect(release).toContain('id-token: write');
    expect(release).not.toMatch(/NODE_AUTH_TOKEN|NPM_TOKEN/);
  });

  const CHANGELOG = '# Changelog\n\n## [1.2.3] - 2027-01-31\n\n- New.\n\n## [1.2.2]\n\n- Old.\n';

  /** Runs the script for v1.2.3. */
  function notes(about: object, changelog = CHANGELOG) {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, 'package.json'), JSON.stringify(about));
    writeFileSync(join(cwd, 'CHANGELOG.md'), changelog);
    const script = resolve('scripts/release-notes.mjs');
    return spawnSync(process.execPath, [script, 'v1.2.3'], { cwd, encoding: 'utf8' });
  }
  const repository = 'github:example/example';

  it('has the section of the changelog as its notes', () => {
    const result = notes({ version: '1.2.3', repository });
    expect(result).toMatchObject({ status: 0, stdout: '- New.\n' });
  });

  it.each([
    ['another version', { version: '1.2.4', repository }, CHANGELOG, 'it must be v1.2.4'],
    ['no section', { version: '1.2.3', repository }, '# Changelog\n', '## [1.2.3]'],
    ['no repository', { version: '1.2.3' }, CHANGELOG, 'no "repository"'],
  ])('is refused for %s', (_, about, changelog, message) => {
    const { status, stderr } = notes(about, changelog);
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining(message) });
  });
});
