import { afterEach, beforeEach, jest } from '@jest/globals';
import { ConsoleLogger } from '@nestjs/common';

/** For tests in which errors and warnings are logged, as they should be. */
export function quietNest(): void {
  beforeEach(() => {
    for (const level of ['error', 'warn'] as const) {
      jest.spyOn(ConsoleLogger.prototype, level).mockImplementation(() => {});
    }
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
}
