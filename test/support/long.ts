/** Whether long tests run in their long form: `npm run test:long`. */
const IS_LONG = process.env['TEST_LONG'] === 'true';

/** The amount of work in a normal run of the tests, or the second number in a long one. */
export function usualOrLong(usual: number, long: number): number {
  return IS_LONG ? long : usual;
}
