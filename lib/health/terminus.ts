/**
 * The health of an account, for `@nestjs/terminus`.
 *
 * @module nestjs-berbix/terminus
 */

import { Inject, Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { DEFAULT_ACCOUNT, findService } from '../options/index.js';
import { BerbixHealthService } from './berbix-health.service.js';

/** The session of an indicator, as Terminus 11 and 12 have it; only 12 has `degraded`. */
interface Session<Key extends string> {
  up(data: object): HealthIndicatorResult<Key>;
  down(data: object): HealthIndicatorResult<Key>;
  degraded?(data: object): HealthIndicatorResult<Key>;
}

/**
 * The health of an account as an indicator of `@nestjs/terminus`, 11 or 12. Terminus 11 does not
 * know `degraded`: there, it is `up` with `degraded: true`.
 *
 * Provide it in a module that imports `TerminusModule`, and call it in a health check:
 * `health.check([() => berbix.isHealthy('berbix')])`.
 */
@Injectable()
export class BerbixHealthIndicator {
  constructor(
    @Inject(HealthIndicatorService) private readonly indicators: HealthIndicatorService,
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
  ) {}

  /**
   * Resolves to the result, also if the account is down.
   *
   * @param key of the result
   * @param account as passed to `forRoot`, if there is one
   * @throws {BerbixConfigurationError} (as a rejection) if the account is not registered
   */
  async isHealthy<Key extends string>(
    key: Key,
    account = DEFAULT_ACCOUNT,
  ): Promise<HealthIndicatorResult<Key>> {
    const service = findService(this.moduleRef, BerbixHealthService, account, {
      name: 'BerbixHealthIndicator',
      decorator: 'the second argument of isHealthy',
    });
    const { status, ...rest } = await service.check();
    const session = this.indicators.check(key) as unknown as Session<Key>;
    if (status !== 'degraded') return session[status](rest);
    return session.degraded?.(rest) ?? session.up({ ...rest, degraded: true });
  }
}
