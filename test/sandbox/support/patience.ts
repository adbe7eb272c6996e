import { jest } from '@jest/globals';

/** Nothing here waits for the clock, but a busy machine may take its time to start things. */
export function bePatient(): void {
  jest.setTimeout(60_000);
}
