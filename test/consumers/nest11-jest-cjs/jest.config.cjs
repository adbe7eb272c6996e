/** Jest's default mode: CommonJS, no flag, nothing in node_modules transformed. */
module.exports = {
  testEnvironment: 'node',
  testMatch: ['**/berbix.test.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
};
