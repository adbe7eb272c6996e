import vm from 'node:vm';

if (vm.SourceTextModule === undefined) {
  process.stderr.write(
    'The tests are ES modules, for which Node.js needs a flag. Run: npm run test:jest -- <path>\n',
  );
  process.exit(1);
}

export default {
  testEnvironment: 'node',
  // The default leaves a core idle, which on two cores is half of them.
  maxWorkers: '100%',
  // Nothing waits for the clock, but a busy machine takes its time to start processes and databases.
  testTimeout: 180_000,
  // Watch mode runs the tests of what changes here.
  roots: ['bench', 'examples', 'lib', 'test'].map((folder) => `<rootDir>/${folder}`),
  testMatch: ['<rootDir>/test/**/*.spec.ts'],
  reporters: ['default', '<rootDir>/test/support/requirements.reporter.js'],
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
