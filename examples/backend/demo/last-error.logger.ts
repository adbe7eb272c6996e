import type { LoggerService } from '@nestjs/common';

/** Keeps the last error instead of printing it: the demo ends with one sentence, not with a stack. */
export class LastErrorLogger implements LoggerService {
  last: unknown;

  error(error: unknown): void {
    this.last = error;
  }

  warn(): void {}
  log(): void {}
}
