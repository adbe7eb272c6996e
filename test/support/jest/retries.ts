import { jest } from '@jest/globals';

// A busy machine of the CI now and then takes a minute for what takes a second elsewhere, or loses a
// process. Each repetition is in the log, and listed at the end of the run. At home a test gets no second
// chance, nor does it in the nightly run of the long tests.
if (process.env['CI'] && process.env['TEST_LONG'] === undefined) {
  jest.retryTimes(1, { logErrorsBeforeRetry: true });
}
