import { diag } from '@opentelemetry/api';
import { nameOf } from '../errors/index.js';

/** Tells an SDK something. What the SDK or a processor of the application throws fails no call. */
export function quietly(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    reportFailure(error);
  }
}

/** Where OpenTelemetry itself reports its failures; nowhere, unless the application sets a logger. */
export function reportFailure(error: unknown): void {
  diag.error(`nestjs-berbix: telemetry failed with ${nameOf(error)}.`);
}
