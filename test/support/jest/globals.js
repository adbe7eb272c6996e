/** The module `@jest/globals` in tests; it is evaluated again for each spec file. */
export const { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest, test } =
  globalThis[Symbol.for('jest globals')];
