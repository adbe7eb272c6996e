import { invalidRequest } from '../errors/api.exception.js';
import type { JsonObject } from '../requests/fields.js';

/** What `POST /sandbox/clock` asks for. */
export type ClockChange = { advanceMs: number } | { now: Date };

/** @throws {ApiException} 400 unless the body has one of the two, with a value that is a time */
export function parseClockChange(body: JsonObject): ClockChange {
  const { advance_ms: advanceMs, now, ...unknown } = body;
  if ((advanceMs === undefined) === (now === undefined) || Object.keys(unknown).length > 0) {
    throw invalidRequest('Send either advance_ms or now, and nothing else.');
  }
  if (now === undefined) {
    if (typeof advanceMs === 'number') return { advanceMs };
    throw invalidRequest('advance_ms must be a number of milliseconds.');
  }
  const time = typeof now === 'string' || typeof now === 'number' ? new Date(now) : undefined;
  if (time === undefined || Number.isNaN(time.getTime())) {
    throw invalidRequest(
      'now must be a date such as 2030-01-01T00:00:00Z, or milliseconds since 1970.',
    );
  }
  return { now: time };
}
