import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { sandboxCommand } from '../../lib/cli/sandbox.command.js';
import { runCommand } from '../cli/support/run-command.js';
import { temporaryDirectory } from '../support/directories.js';
import { until } from '../support/until.js';

/** Linux shows the group of a process in a file. */
const groupOf = (pid: number | 'self'): string | undefined =>
  readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[2];
const describeOnLinux = existsSync('/proc/self/stat') ? describe : describe.skip;

describeOnLinux('nestjs-berbix sandbox exec at a terminal', () => {
  it('leaves Ctrl+C to the terminal, and passes other signals on', async () => {
    const started = join(temporaryDirectory(), 'started');
    const script = `
      const { renameSync, readFileSync, writeFileSync } = require('node:fs');
      process.on('SIGINT', () => process.exit(3));
      process.on('SIGTERM', () => process.exit(4));
      const group = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1).split(' ')[2];
      writeFileSync('${started}.new', group);
      renameSync('${started}.new', '${started}');
      setTimeout(() => process.exit(5), 20_000);`;
    const atTerminal = (args: string[]) => {
      Object.assign(process.stdin, { isTTY: true });
      return sandboxCommand(args);
    };
    const args = ['exec', '--quiet', '--', process.execPath, '-e', script];
    const running = runCommand(atTerminal, args);
    await until(() => existsSync(started));
    const group = readFileSync(started, 'utf8');
    process.emit('SIGINT', 'SIGINT');
    process.emit('SIGTERM', 'SIGTERM');
    expect((await running).code).toBe(4);
    // Those of another group cannot read from the terminal.
    expect(group).toBe(groupOf('self'));
  });
});
