import { describe, expect, it } from '@jest/globals';
import { Controller, Get, HttpException, Param, type ArgumentsHost } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import * as berbix from 'nestjs-berbix';
import { Observable, firstValueFrom, throwError } from 'rxjs';
import { PLATFORMS, listen } from '../support/platforms.js';

const { BerbixExceptionFilter, BerbixGoneError, isBerbixError } = berbix;

@Controller()
class FailingController {
  @Get('http')
  http(): never {
    throw new HttpException('a teapot', 418);
  }

  @Get('unknown')
  unknown(): never {
    throw new TypeError('a mistake');
  }

  @Get(':name')
  fail(@Param('name') name: string): Observable<never> {
    const ErrorClass = (berbix as Record<string, unknown>)[name] as typeof BerbixGoneError;
    return throwError(() => new ErrorClass('for the log only', { retryAfterMs: 1500 }));
  }
}

const STATUSES: Record<string, number> = {
  BerbixInputError: 400,
  BerbixWebhookBodyError: 400,
  BerbixWebhookSignatureError: 401,
  BerbixNotFoundError: 404,
  BerbixConflictError: 409,
  BerbixInvalidRefreshTokenError: 410,
  BerbixGoneError: 410,
  BerbixConnectionError: 502,
  BerbixServerError: 502,
  BerbixResponseError: 502,
  BerbixInvalidAccessTokenError: 502,
  BerbixRateLimitError: 503,
  BerbixUnavailableError: 503,
  BerbixStoreError: 503,
  BerbixTimeoutError: 504,
  BerbixAuthenticationError: 500,
  BerbixConfigurationError: 500,
  BerbixRequestError: 500,
};

describe.each(PLATFORMS)('BerbixExceptionFilter on %s', (_platform, adapter) => {
  it('answers with the status that fits, and with nothing of the account behind it', async () => {
    const url = await listen(
      Test.createTestingModule({
        controllers: [FailingController],
        providers: [{ provide: APP_FILTER, useClass: BerbixExceptionFilter }],
      }),
      adapter,
    );
    for (const [name, status] of Object.entries(STATUSES)) {
      const answer = await fetch(`${url}/${name}`);
      expect([name, answer.status]).toEqual([name, status]);
      if (status !== 500) expect(answer.headers.get('retry-after')).toBe('2');
      const body = await answer.text();
      expect(JSON.parse(body)).toMatchObject({ statusCode: status, message: expect.any(String) });
      expect(body).not.toContain('for the log only');
    }
    expect((await fetch(`${url}/http`)).status).toBe(418);
    expect((await fetch(`${url}/unknown`)).status).toBe(500);
  });
});

describe('every error of the package', () => {
  const classes = Object.entries(berbix).filter(([name]) => /^Berbix\w+Error$/.test(name));

  it.each(classes)(
    '%s has a code of its own, a name, and is told by isBerbixError()',
    (name, ErrorClass) => {
      const error = new (ErrorClass as typeof BerbixGoneError)('a sentence', {
        status: 1,
        retryable: true,
      });
      expect(error.name).toBe(name);
      expect(error.code).toMatch(/^BERBIX_[A-Z_]+$/);
      expect(isBerbixError(error)).toBe(true);
      expect(error).toBeInstanceOf(berbix.BerbixError);
      expect(String(error)).toBe(`${name}: a sentence`);
      expect(JSON.parse(JSON.stringify(error))).toEqual({
        name,
        message: 'a sentence',
        code: error.code,
        status: 1,
        retryable: true,
      });
      expect(Object.keys(STATUSES)).toContain(name);
    },
  );

  it.each([null, undefined, 'text', {}, new Error('other')])(
    'isBerbixError(%p) is false',
    (value) => {
      expect(isBerbixError(value)).toBe(false);
    },
  );
});

describe('BerbixExceptionFilter outside HTTP', () => {
  const filter = new BerbixExceptionFilter();
  const error = new BerbixGoneError('gone');
  const hostOf = (type: string): ArgumentsHost => ({ getType: () => type }) as never;

  it('hands the error on in microservices', async () => {
    const result = filter.catch(error, hostOf('rpc')) as Observable<never>;
    await expect(firstValueFrom(result)).rejects.toBe(error);
  });

  it('throws it on in GraphQL and elsewhere', () => {
    expect(() => filter.catch(error, hostOf('graphql'))).toThrow(error);
  });
});
