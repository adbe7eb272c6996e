/** Whether long tests run in their long form: `npm run test:long`. */
const IS_LONG = process.env['TEST_LONG'] === 'true';

/** How much to do in a normal run of the tests, or in a long one. */
export function usualOrLong<Amount>(usual: Amount, long: Amount): Amount {
  return IS_LONG ? long : usual;
}
