import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { openInBrowser } from '../../lib/cli/open-in-browser.js';
import { closeAfterTest } from '../support/closing.js';
import { temporaryDirectory } from '../support/directories.js';
import { changeEnvironment } from '../support/environment.js';
import { until } from '../support/until.js';

const { platform } = process;
/** The scripts below need a shell. */
const describeWithShell = platform === 'win32' ? describe.skip : describe;

describeWithShell('the program that opens a browser', () => {
  it.each([
    ['darwin', 'open', 'http://127.0.0.1:1'],
    ['win32', 'rundll32', 'url.dll,FileProtocolHandler http://127.0.0.1:1'],
    ['linux', 'xdg-open', 'http://127.0.0.1:1'],
    ['freebsd', 'xdg-open', 'http://127.0.0.1:1'],
  ])('on %s is %s', async (name, program, args) => {
    const directory = temporaryDirectory();
    const opened = join(directory, 'opened');
    const script = `#!/bin/sh\necho "$@" > "${opened}.new"\n/bin/mv "${opened}.new" "${opened}"\n`;
    writeFileSync(join(directory, program), script, { mode: 0o755 });
    closeAfterTest(changeEnvironment({ PATH: directory }));
    Object.defineProperty(process, 'platform', { value: name });
    try {
      openInBrowser('http://127.0.0.1:1');
    } finally {
      Object.defineProperty(process, 'platform', { value: platform });
    }
    await until(() => existsSync(opened));
    expect(readFileSync(opened, 'utf8')).toBe(`${args}\n`);
  });
});
