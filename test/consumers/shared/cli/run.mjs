import { deepEqual, equal } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';

/** Runs a command to its end; what it printed. */
export function run(program, args) {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    shell: process.platform === 'win32',
    timeout: 200_000,
  });
  equal(status, 0, `${program} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

/** Starts a built application with a sandbox, and checks that it begins a verification. */
export function beginWith(...nodeArguments) {
  const command = ['nestjs-berbix', 'sandbox', 'exec', '--', 'node', ...nodeArguments];
  const { clientToken, isResumed } = JSON.parse(run('npx', command));
  deepEqual({ type: typeof clientToken, isResumed }, { type: 'string', isResumed: false });
}
