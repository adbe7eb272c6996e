import type { LoggerService } from '@nestjs/common';

/**
 * Keeps the last error or warning instead of printing it, so that the demo ends with one sentence.
 */
export class LastErrorLogger implements LoggerService {
  last: unknown;

  error(error: unknown): void {
    this.last = error;
  }

  warn(warning: unknown): void {
    this.last = warning;
  }

  log(): void {}
}
