import { availableParallelism } from 'node:os';

export default {
  // Jest runs the tests, and Node.js loads the modules: see test/support/jest/test-runner.js.
  testEnvironment: '<rootDir>/test/support/jest/environment.js',
  testRunner: '<rootDir>/test/support/jest/test-runner.js',
  injectGlobals: false,
  setupFilesAfterEnv: [
    '<rootDir>/test/support/jest/reset-nest.ts',
    '<rootDir>/test/support/jest/retries.ts',
  ],
  // Many tests wait for clocks, servers and processes: two workers would not keep two cores busy.
  maxWorkers: Math.max(availableParallelism(), 4),
  testSequencer: '<rootDir>/test/support/jest/sequencer.js',
  // Nothing waits for the clock, but a busy machine takes its time to start processes and databases.
  testTimeout: 180_000,
  // Watch mode runs the tests of what changes here.
  roots: ['bench', 'examples', 'lib', 'test'].map((folder) => `<rootDir>/${folder}`),
  testMatch: ['<rootDir>/test/**/*.spec.ts'],
  reporters: ['default', '<rootDir>/test/support/jest/end-of-run.reporter.js'],
  moduleNameMapper: {
    '^nestjs-berbix$': '<rootDir>/lib/index.ts',
    '^nestjs-berbix/sandbox$': '<rootDir>/lib/sandbox/index.ts',
    '^nestjs-berbix/token-store$': '<rootDir>/lib/token-store/public-api.ts',
    '^nestjs-berbix/postgres$': '<rootDir>/lib/token-store/postgres/index.ts',
    '^nestjs-berbix/redis$': '<rootDir>/lib/token-store/redis/index.ts',
    '^nestjs-berbix/testing$': '<rootDir>/lib/testing/index.ts',
    '^nestjs-berbix/terminus$': '<rootDir>/lib/health/terminus.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        sourceMaps: true,
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
      },
    ],
  },
};
