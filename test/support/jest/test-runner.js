import asyncHooks from 'node:async_hooks';
import module from 'node:module';
import { pathToFileURL } from 'node:url';
import circus from 'jest-circus/runner';
import * as moduleHooks from './module-hooks.js';

const require = module.createRequire(import.meta.url);

/** The symbols in the global object under which Jest keeps what belongs to one file. */
const OF_ONE_FILE = new Set([
  'JEST_STATE_SYMBOL',
  'EVENT_HANDLERS',
  'TEST_TIMEOUT_SYMBOL',
  'RETRY_TIMES_SETTER',
  'RETRY_TIMES',
  'WAIT_BEFORE_RETRY',
  'RETRY_IMMEDIATELY',
  'LOG_ERRORS_BEFORE_RETRY',
]);

/** The files that `expectApproved` has compared, for the reporter. */
const APPROVED_FILES = Symbol.for('approved files');

let files = 0;

/**
 * Jest's own runner, except that Node.js loads the modules: packages once for all files of a process,
 * and the code of this repository as `module-hooks.js` says. Jest's loader would link and compile the
 * 1500 modules of Nest & co for each file.
 */
export default async function run(globalConfig, config, environment, runtime, path, send) {
  const isWatching = globalConfig.watch || globalConfig.watchAll;
  files += 1;
  if (files === 1) await registerModuleHooks({ config, isWatching });
  const storages = [];
  const overrides = {
    requireInternalModule: (file) => requireAnew(file, storages),
    unstable_shouldLoadAsEsm: () => true,
    unstable_importModule: (file) => {
      globalThis[Symbol.for('jest globals')] = runtime.requireModuleOrMock(file, '@jest/globals');
      globalThis[Symbol.for('source maps')] = runtime.getSourceMaps();
      return import(`${pathToFileURL(file).href}?file=${files}`);
    },
  };
  try {
    const result = await circus.default(
      globalConfig,
      config,
      environment,
      over(runtime, overrides),
      path,
      send,
    );
    return { ...result, approvedFiles: [...(globalThis[APPROVED_FILES] ?? [])] };
  } finally {
    delete globalThis[APPROVED_FILES];
    for (const storage of storages) storage.disable();
    for (const symbol of Object.getOwnPropertySymbols(globalThis)) {
      if (OF_ONE_FILE.has(symbol.description)) delete globalThis[symbol];
    }
  }
}

async function registerModuleHooks(settings) {
  if (module.registerHooks === undefined) {
    module.register('./module-hooks.js', import.meta.url, { data: settings });
  } else {
    await moduleHooks.initialize(settings);
    module.registerHooks(moduleHooks);
  }
}

/**
 * Loads a module of Jest for one file, since it keeps the tests of a file in variables. Storages that
 * stay enabled would make each promise of the process slower, up to Node.js 22.
 */
function requireAnew(file, storages) {
  const original = Object.getOwnPropertyDescriptor(asyncHooks, 'AsyncLocalStorage');
  class RecordedStorage extends asyncHooks.AsyncLocalStorage {
    constructor(...args) {
      super(...args);
      storages.push(this);
    }
  }
  Object.defineProperty(asyncHooks, 'AsyncLocalStorage', {
    value: RecordedStorage,
    configurable: true,
  });
  try {
    delete require.cache[file];
    return require(file);
  } finally {
    Object.defineProperty(asyncHooks, 'AsyncLocalStorage', original);
  }
}

/** An object with some methods replaced. */
function over(object, methods) {
  return new Proxy(object, {
    get(target, name) {
      if (Object.hasOwn(methods, name)) return methods[name];
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
