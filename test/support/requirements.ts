import { describe } from '@jest/globals';

/** What some tests need besides Node.js, and how to provide it. */
const REQUIREMENTS = {
  PostgreSQL: 'start one at postgres://postgres@127.0.0.1:5432/test, or set TEST_POSTGRES_URL',
  Redis: 'start one at redis://127.0.0.1:6379, or set TEST_REDIS_URL',
  'redis-server': 'install it, so that it is on the PATH',
  Chromium: 'install it, or set CHROMIUM_PATH',
  curl: 'install it, so that it is on the PATH',
  Python: 'install it, so that python3 is on the PATH',
  Java: 'install a JDK, so that java is on the PATH',
  PHP: 'install it, so that php is on the PATH',
  Ruby: 'install it, so that ruby is on the PATH',
  Go: 'install it, so that gofmt is on the PATH',
};

/** Only the syntax of samples needs them, which a machine of the CI may leave to another one. */
const OPTIONAL: ReadonlySet<keyof typeof REQUIREMENTS> = new Set([
  'Python',
  'Java',
  'PHP',
  'Ruby',
  'Go',
]);

/**
 * `describe` for tests that need something besides Node.js. If it is missing, the tests are skipped
 * below a title that `jest/end-of-run.reporter.js` collects for the end of the run.
 *
 * With `CI=true` a requirement that is missing is an error, unless it is optional, or
 * `TEST_ALLOW_SKIPPED=true` says that it is missing on purpose.
 */
export function describeWith(
  requirement: keyof typeof REQUIREMENTS,
  isAvailable: boolean,
): typeof describe {
  if (isAvailable) return describe;
  const needed = `${requirement}: ${REQUIREMENTS[requirement]}`;
  const isOptional = OPTIONAL.has(requirement) || process.env.TEST_ALLOW_SKIPPED === 'true';
  if (process.env.CI === 'true' && !isOptional) {
    throw new Error(`CI=true, and these tests need ${needed}, or set TEST_ALLOW_SKIPPED=true.`);
  }
  const title = `Skipped, needs ${needed}`;
  const skip = (declare: () => void): void => describe.skip(title, declare);
  const describeSkipped = (name: string, tests: () => void): void =>
    skip(() => describe(name, tests));
  const each =
    (table: readonly [unknown]) =>
    (name: string, tests: () => void): void =>
      skip(() => describe.each(table)(name, tests));
  return Object.assign(describeSkipped, { each }) as typeof describe;
}
