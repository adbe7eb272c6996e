import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { BerbixSandboxReady } from 'nestjs-berbix/sandbox';
import { temporaryDirectory } from '../support/directories.js';
import { until } from '../support/until.js';
import { CommandRuns } from './support/cli-run.js';

const runs = new CommandRuns();

/** A directory with a program in the place of the one that opens a browser. */
function pathWith(script: string | undefined): string {
  const path = temporaryDirectory();
  const name = process.platform === 'darwin' ? 'open' : 'xdg-open';
  if (script !== undefined) {
    writeFileSync(join(path, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return path;
}

/** Runs until it is ready; `written` has what it has written so far. */
async function open(path: string) {
  const { child, code } = runs.run(['sandbox', '--open', '--json'], { PATH: path });
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.on('data', (chunk: Buffer) => (written[name] += chunk.toString()));
  }
  await until(() => written.stdout.endsWith('\n'));
  return { child, code, written, url: (JSON.parse(written.stdout) as BerbixSandboxReady).url };
}

describe('nestjs-berbix sandbox --open', () => {
  it('opens the home page in the browser', async () => {
    const opened = join(temporaryDirectory(), 'opened');
    const { child, code, url, written } = await open(
      pathWith(`echo "$@" > "${opened}.new"
/bin/mv "${opened}.new" "${opened}"`),
    );
    await until(() => existsSync(opened));
    expect(readFileSync(opened, 'utf8')).toBe(`${url}\n`);
    child.kill('SIGTERM');
    expect([await code, written.stderr]).toEqual([0, '']);
  });

  it('does not wait for the browser to be closed', async () => {
    const file = join(temporaryDirectory(), 'pid');
    const { child, code } = await open(
      pathWith(`echo $$ > "${file}.new"
/bin/mv "${file}.new" "${file}"
exec /bin/sleep 100`),
    );
    await until(() => existsSync(file));
    child.kill('SIGTERM');
    expect(await code).toBe(0);
    process.kill(Number(readFileSync(file, 'utf8')));
  });

  it.each([
    ['is missing', undefined, 'ENOENT'],
    ['fails', 'exit 1', 'exit code 1'],
  ])('continues with a warning if the program %s', async (_, script, reason) => {
    const { child, url, written, code } = await open(pathWith(script));
    await until(() => written.stderr.endsWith('\n'));
    const { stderr: warning } = written;
    expect(warning).toMatch(/^No browser could be opened \((xdg-)?open: /);
    expect(warning).toContain(`${reason}). Open ${url}\n`);
    const { status } = await fetch(url);
    expect(status).toBe(200);
    child.kill('SIGTERM');
    expect([await code, written.stderr]).toEqual([0, warning]);
  });
});
