import { expect } from '@jest/globals';
import type { Ended } from './start.js';

const STEPS = [
  'Ada begins her verification: POST /verification',
  'PostgreSQL  stores its refresh token, encrypted: b1.',
  'PostgreSQL  loaded the refresh token rt_',
  'exchanged it for fresh tokens',
  'Ada asks for the status: GET /verification',
];

export function expectDone({ code, stdout, stderr }: Ended): void {
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(STEPS.filter((step) => !stdout.includes(step))).toEqual([]);
  expectNoSecret(stdout);
}

/** The API secret of the sandbox; it is shown so that people can try the API. */
export const SHOWN_SECRET = /(?<=press Authorize; the user name is\n +)secret_test_\w+/;

/** At most four characters of a token may be shown. */
function expectNoSecret(output: string): void {
  expect(output.replace(SHOWN_SECRET, '')).not.toMatch(/\b(?:rt|at)_\w\w|eyJ\w\w|secret_|whs_/);
}

export function expectRefused({ code, stderr }: Ended, sentence: RegExp): void {
  expect(code).toBe(1);
  expect(stderr).toMatch(sentence);
  expect(stderr.trim().split('\n')).toHaveLength(1);
}
