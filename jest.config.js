/** Jest in ESM mode: run it through `npm test`, which sets --experimental-vm-modules. */
export default {
  testEnvironment: 'node',
  // The default leaves a core idle, which on two cores is half of them.
  maxWorkers: '100%',
  // Nothing waits for the clock, but a busy machine may take its time to start things.
  testTimeout: 60_000,
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^nestjs-berbix$': '<rootDir>/lib/index.ts',
    '^nestjs-berbix/sandbox$': '<rootDir>/lib/sandbox/index.ts',
    '^nestjs-berbix/postgres$': '<rootDir>/lib/token-store/postgres/index.ts',
    '^nestjs-berbix/redis$': '<rootDir>/lib/token-store/redis/index.ts',
    '^nestjs-berbix/testing$': '<rootDir>/lib/testing/index.ts',
    // It requires an ES module, which Jest cannot do.
    '^@fastify/static$': '<rootDir>/test/support/absent-package.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'es6' },
      },
    ],
  },
};
