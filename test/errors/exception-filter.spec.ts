import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  Controller,
  Get,
  HttpException,
  Logger,
  Param,
  UseFilters,
  type ArgumentsHost,
  type ModuleMetadata,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import * as berbix from 'nestjs-berbix';
import { Observable, firstValueFrom, throwError } from 'rxjs';
import { rejectionOf } from '../support/errors.js';
import { PLATFORMS, listen } from '../support/platforms.js';

const { BerbixAuthenticationError, BerbixExceptionFilter, BerbixGoneError, isBerbixError } = berbix;

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

  @Get('later/:ms')
  later(@Param('ms') ms: string): Observable<never> {
    const retryAfterMs = ms === 'unknown' ? undefined : Number(ms);
    return throwError(() => new berbix.BerbixRateLimitError('later', { retryAfterMs }));
  }

  @Get(':name')
  fail(@Param('name') name: string): Observable<never> {
    return throwError(() => errorNamed(name));
  }
}

function errorNamed(name: string): berbix.BerbixError {
  const ErrorClass = (berbix as Record<string, unknown>)[name] as typeof BerbixGoneError;
  return new ErrorClass('for the log only', { retryAfterMs: 1500 });
}

const ANSWERS: Record<string, [number, string]> = {
  BerbixInputError: [400, 'The request cannot be processed.'],
  BerbixWebhookBodyError: [400, 'Bad Request'],
  BerbixWebhookSignatureError: [401, 'Unauthorized'],
  BerbixNotFoundError: [404, 'There is no verification.'],
  BerbixConflictError: [409, 'The verification is finished, or at another step.'],
  BerbixInvalidRefreshTokenError: [410, 'This verification cannot be continued.'],
  BerbixGoneError: [410, 'This verification cannot be continued. Start a new one.'],
  BerbixAbortedError: [499, 'The request was canceled.'],
  BerbixConnectionError: [502, 'Identity verification cannot be reached.'],
  BerbixServerError: [502, 'Identity verification failed.'],
  BerbixResponseError: [502, 'Identity verification failed.'],
  BerbixInvalidAccessTokenError: [502, 'Identity verification failed.'],
  BerbixRateLimitError: [503, 'Identity verification is busy. Try again later.'],
  BerbixUnavailableError: [503, 'Identity verification is busy. Try again later.'],
  BerbixStoreError: [503, 'Identity verification is not available at the moment.'],
  BerbixTimeoutError: [504, 'Identity verification did not answer in time.'],
  BerbixAuthenticationError: [500, 'Internal server error'],
  BerbixConfigurationError: [500, 'Internal server error'],
  BerbixRequestError: [500, 'Internal server error'],
};

@Controller()
@UseFilters(BerbixExceptionFilter)
class FilteredController extends FailingController {}

describe.each(PLATFORMS)('BerbixExceptionFilter on %s', (platform) => {
  it.each<[string, ModuleMetadata, Parameters<typeof listen>[2]]>([
    [
      'as a provider',
      {
        controllers: [FailingController],
        providers: [{ provide: APP_FILTER, useClass: BerbixExceptionFilter }],
      },
      undefined,
    ],
    ['with a decorator', { controllers: [FilteredController] }, undefined],
    [
      'as an object with the adapter',
      { controllers: [FailingController] },
      (app) => app.useGlobalFilters(new BerbixExceptionFilter(app.getHttpAdapter())),
    ],
  ])('can be registered %s', async (_how, metadata, configure) => {
    const url = await listen(Test.createTestingModule(metadata), platform, configure);
    const failed = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    const warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const { status, headers } = await fetch(`${url}/BerbixStoreError`);
    expect([status, headers.get('retry-after')]).toEqual([503, '2']);
    expect((await fetch(`${url}/BerbixRequestError`)).status).toBe(500);
    expect([warned.mock.calls.length, failed.mock.calls.map(([error]) => String(error))]).toEqual([
      1,
      ['BerbixRequestError: for the log only'],
    ]);
    jest.restoreAllMocks();
  });

  it('answers with the right status, and says nothing about the account', async () => {
    const url = await listen(
      Test.createTestingModule({
        controllers: [FailingController],
        providers: [{ provide: APP_FILTER, useClass: BerbixExceptionFilter }],
      }),
      platform,
    );
    const warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const logged: string[] = [];
    for (const [name, [status, message]] of Object.entries(ANSWERS)) {
      const { code } = errorNamed(name);
      if (status > 500 || name === 'BerbixInputError') logged.push(code);
      const answer = await fetch(`${url}/${name}`);
      expect([name, answer.status]).toEqual([name, status]);
      if (status !== 500) expect(answer.headers.get('retry-after')).toBe('2');
      const body = await answer.text();
      expect(JSON.parse(body)).toEqual({
        statusCode: status,
        message,
        ...(status !== 500 && { error: code }),
      });
      expect(body).not.toContain('for the log only');
    }
    const lines = warned.mock.calls.map(([line]) => String(line));
    expect(lines).toEqual(logged.map((code) => expect.stringMatching(`only \\(${code}, see`)));
    warned.mockRestore();
    // Whatever the API asks for, no client is told to wait for days.
    for (const [ms, seconds] of [
      ['unknown', null],
      [0, '0'],
      [1, '1'],
      [1_000, '1'],
      [1_001, '2'],
      [59_001, '60'],
      [86_400_000, '60'],
    ]) {
      const { headers } = await fetch(`${url}/later/${ms}`);
      expect([ms, headers.get('retry-after')]).toEqual([ms, seconds]);
    }
    expect((await fetch(`${url}/http`)).status).toBe(418);
    expect((await fetch(`${url}/unknown`)).status).toBe(500);
  });
});

/** The line of the log about an error with the message "why". */
const lineOf = (code: string): string => `why (${code}, see docs/errors.md#${code.toLowerCase()})`;

describe('every error of the package', () => {
  const classes = Object.entries(berbix).filter(([name]) => /^Berbix\w+Error$/.test(name));

  it.each(classes)(
    '%s has its own code and a name, and isBerbixError() recognizes it',
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
      expect(Object.keys(ANSWERS)).toContain(name);
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
  const error = new BerbixAuthenticationError('Check apiSecret', { path: '/v0/tokens' });
  const sent = {
    status: 'error',
    code: 'BERBIX_AUTHENTICATION',
    message: 'Internal server error',
  };
  const hostOf = (type: string, client?: unknown): ArgumentsHost => {
    const context = { getClient: () => client, getPattern: () => 'begin', getData: () => [1] };
    return { getType: () => type, switchToWs: () => context } as never;
  };
  let logged: jest.SpiedFunction<Logger['error']>;
  let warned: jest.SpiedFunction<Logger['warn']>;

  beforeEach(() => {
    logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('sends the code and the public message to the caller of a microservice', async () => {
    const result = filter.catch(error, hostOf('rpc')) as Observable<never>;
    await expect(firstValueFrom(result)).rejects.toEqual(sent);
    expect(logged).toHaveBeenCalledWith(error);

    const gone = filter.catch(new BerbixGoneError('gone'), hostOf('rpc')) as Observable<never>;
    await expect(firstValueFrom(gone)).rejects.toEqual({
      status: 'error',
      code: 'BERBIX_GONE',
      message: 'This verification cannot be continued. Start a new one.',
    });
  });

  it('treats a secret that is temporarily missing as a transient failure', async () => {
    const vaultIsDown = new berbix.BerbixConfigurationError('why', { retryable: true });
    const result = filter.catch(vaultIsDown, hostOf('rpc')) as Observable<never>;
    await expect(firstValueFrom(result)).rejects.toMatchObject({
      code: 'BERBIX_CONFIGURATION',
      message: expect.stringMatching('Try again later'),
    });
    expect(warned).toHaveBeenCalledWith(lineOf('BERBIX_CONFIGURATION'));
  });

  it('emits the same to a client of socket.io and of ws, as Nest does', () => {
    const data = { ...sent, cause: { pattern: 'begin', data: [1] } };
    const emit = jest.fn();
    filter.catch(error, hostOf('ws', { emit }));
    expect(emit).toHaveBeenCalledWith('exception', data);
    expect(logged).toHaveBeenCalledTimes(1);

    const heardHere = jest.fn();
    const send = jest.fn<(text: string) => void>();
    filter.catch(error, hostOf('ws', { readyState: 1, emit: heardHere, send }));
    expect(heardHere).not.toHaveBeenCalled();
    expect(JSON.parse(send.mock.calls[0]?.[0] ?? '')).toEqual({ event: 'exception', data });
  });

  it('throws an error for GraphQL clients, whose servers read extensions', async () => {
    const thrownFor = (thrown: berbix.BerbixError): Promise<unknown> =>
      rejectionOf(() => filter.catch(thrown, hostOf('graphql')));
    const internal = (await thrownFor(error)) as Error;
    expect(internal).toBeInstanceOf(Error);
    expect(internal).toMatchObject({
      message: 'Internal server error',
      extensions: { code: 'BERBIX_AUTHENTICATION' },
    });
    expect(inspect(internal, { showHidden: true, depth: 9 })).not.toContain('Check apiSecret');
    expect(logged).toHaveBeenCalledWith(error);
    expect(await thrownFor(new BerbixGoneError('gone'))).toMatchObject({
      message: 'This verification cannot be continued. Start a new one.',
      extensions: { code: 'BERBIX_GONE' },
    });
    expect(await thrownFor(new berbix.BerbixTimeoutError('why'))).toMatchObject({
      message: 'Identity verification did not answer in time.',
    });
    expect(warned).toHaveBeenCalledWith(lineOf('BERBIX_TIMEOUT'));
  });

  it('rethrows it in other contexts', () => {
    expect(() => filter.catch(error, hostOf('cron'))).toThrow(error);
    expect(logged).not.toHaveBeenCalled();
  });

  it('warns of errors that become a 5xx, and of input errors', () => {
    for (const ErrorClass of [
      berbix.BerbixInputError,
      berbix.BerbixTimeoutError,
      berbix.BerbixServerError,
      BerbixGoneError,
    ]) {
      filter.catch(new ErrorClass('why'), hostOf('ws', { emit: () => {} }));
    }
    expect(warned.mock.calls.flat()).toEqual(
      ['BERBIX_INPUT', 'BERBIX_TIMEOUT', 'BERBIX_SERVER'].map(lineOf),
    );
  });
});
