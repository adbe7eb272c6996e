import { setFlagsFromString } from 'node:v8';
import { ModernFakeTimers } from '@jest/fake-timers';
import { ModuleMocker } from 'jest-mock';

// A PGlite of a test ends before it is worth optimizing.
setFlagsFromString('--liftoff-only');

/**
 * Runs the tests in the realm of their process, without a vm context: classes such as Error are the
 * same for the tests, for Node.js and for the packages, which therefore need to be loaded only once.
 *
 * What a file changes in the process is restored after it.
 */
export default class InProcessEnvironment {
  global = globalThis;
  #before = {
    exit: process.exit,
    getBuiltinModule: process.getBuiltinModule,
    console,
    env: process.env,
    variables: { ...process.env },
    directory: process.cwd(),
  };

  constructor({ projectConfig }) {
    this.moduleMocker = new ModuleMocker(globalThis);
    this.fakeTimersModern = new ModernFakeTimers({ config: projectConfig, global: globalThis });
  }

  setup() {
    // Jest has installed its own, which uses vm contexts.
    process.getBuiltinModule = this.#before.getBuiltinModule;
  }

  teardown() {
    const { exit, console, env, variables, directory } = this.#before;
    this.fakeTimersModern.dispose();
    process.exit = exit;
    globalThis.console = console;
    // A file may have replaced it with a plain object, whose variables Node.js does not read.
    process.env = env;
    for (const name of Object.keys(env)) if (!(name in variables)) delete env[name];
    Object.assign(env, variables);
    process.chdir(directory);
  }

  exportConditions() {
    return ['node', 'node-addons'];
  }

  getVmContext() {
    return null;
  }
}
