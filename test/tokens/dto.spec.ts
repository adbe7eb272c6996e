import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { Body, Controller, Inject, Post, ValidationPipe } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  BerbixModule,
  BerbixTokenService,
  BerbixTokens,
  BerbixTokensDto,
  ClientTokenDto,
  CreateTransactionDto,
  RefreshTokensDto,
  VerificationStartDto,
} from 'nestjs-berbix';
import { validateSync } from 'class-validator';
import { Observable, map } from 'rxjs';
import { followsRules } from '../../lib/tokens/dto/token-fields.js';
import { PLATFORMS, listen } from '../support/platforms.js';
import { createTransaction, servicesFor, startSandbox } from '../support/services.js';

@Controller()
class ExchangeController {
  constructor(@Inject(BerbixTokenService) private readonly tokens: BerbixTokenService) {}

  @Post('client-token')
  clientToken(@Body() { refreshToken }: RefreshTokensDto): Observable<ClientTokenDto> {
    return this.tokens.refresh(refreshToken).pipe(map(ClientTokenDto.of));
  }

  @Post('careless')
  careless(@Body() { refreshToken }: RefreshTokensDto): Observable<BerbixTokens> {
    return this.tokens.refresh(refreshToken);
  }

  @Post('transactions')
  create(@Body() transaction: CreateTransactionDto): string {
    return transaction.customerUid;
  }
}

describe.each(PLATFORMS)('the DTOs in a controller on %s', (platform) => {
  async function start(): Promise<{ url: string; refreshToken: string }> {
    const sandbox = await startSandbox();
    const { refreshToken } = await createTransaction(sandbox, await servicesFor(sandbox));
    const url = await listen(
      Test.createTestingModule({
        imports: [BerbixModule.forRoot({ apiSecret: sandbox.apiSecret, apiHost: sandbox.url })],
        controllers: [ExchangeController],
      }),
      platform,
      (app) =>
        app.useGlobalPipes(
          new ValidationPipe({ transform: true, whitelist: true, forbidNonWhitelisted: true }),
        ),
    );
    return { url, refreshToken };
  }

  const post = (url: string, body: object): Promise<Response> =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  it('are validated by Nest, and answer only the client token', async () => {
    const { url, refreshToken } = await start();
    const answer = await post(`${url}/client-token`, { refreshToken });
    expect(answer.status).toBe(201);
    expect(await answer.json()).toEqual({
      clientToken: expect.any(String),
      expiresAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
  });

  it.each([
    {},
    { refreshToken: '' },
    { refreshToken: 1 },
    { refreshToken: 'a\nb' },
    { refreshToken: 'a', more: 1 },
  ])('refuse %j with 400', async (body) => {
    const { url } = await start();
    expect((await post(`${url}/client-token`, body)).status).toBe(400);
  });

  it('show no secret if a controller returns BerbixTokens by mistake', async () => {
    const { url, refreshToken } = await start();
    const text = await (await post(`${url}/careless`, { refreshToken })).text();
    expect(JSON.parse(text)).toMatchObject({
      accessToken: '[redacted]',
      refreshToken: '[redacted]',
    });
    expect(text).not.toContain(refreshToken);
  });

  it('check a transaction', async () => {
    const { url } = await start();
    const good = { customerUid: 'ada', templateKey: 'tpk_x', email: 'ada@example.com' };
    expect((await post(`${url}/transactions`, good)).status).toBe(201);
    expect((await post(`${url}/transactions`, { ...good, customerUid: '' })).status).toBe(400);
    for (const email of ['ada', 'ada\ud83d@example.com', 'ada@example.com\udc00', null, 7]) {
      const status = email === null ? 201 : 400;
      expect((await post(`${url}/transactions`, { ...good, email })).status).toBe(status);
    }
  });
});

describe('the DTOs', () => {
  it('have no client token if there is none', () => {
    expect(() => ClientTokenDto.of(BerbixTokens.fromRefresh('rt'))).toThrow(
      'Refresh the tokens first',
    );
  });

  it('follow the rules that are checked first exactly if class-validator finds no problem', () => {
    const good = { access_token: 'a', client_token: 'c', transaction_id: 12, expires_in: 3600 };
    const seconds = { isLifetime: 'expiresIn must be a whole number of seconds from 1 to 2592000' };
    for (const [change, found] of [
      [{}],
      [{ refresh_token: 'r' }],
      [{ client_token: null }],
      [{ access_token: null }, { isToken: 'accessToken must be a non-empty string' }],
      [{ client_token: 1 }, { isOptionalToken: 'clientToken must be a string' }],
      [
        { refresh_token: 'a\nb' },
        { isOptionalRefreshToken: 'refreshToken must be a string without control characters' },
      ],
      [{ transaction_id: -1 }, { isOptionalId: 'transactionId must be a positive integer' }],
      [{ expires_in: 1 }],
      [{ expires_in: 2_592_000 }],
      [{ expires_in: 0 }, seconds],
      [{ expires_in: 2_592_001 }, seconds],
      [{ expires_in: 1.5 }, seconds],
    ]) {
      const dto = BerbixTokensDto.fromWire({ ...good, ...change });
      const problems = validateSync(dto).map(({ constraints }) => constraints);
      expect([change, problems]).toEqual([change, found === undefined ? [] : [found]]);
      expect([change, followsRules(dto)]).toEqual([change, found === undefined]);
    }
    const empty = Object.assign(new RefreshTokensDto(), { refreshToken: '' });
    expect(validateSync(empty).map(({ constraints }) => constraints)).toEqual([
      { isRefreshToken: 'refreshToken must be a non-empty string without control characters' },
    ]);
  });

  it('print without the tokens', () => {
    const dto = BerbixTokensDto.fromWire({
      access_token: 'at_canary',
      expires_in: 5,
      transaction_id: 7,
    });
    const expiresAt = new Date(7);
    const clientToken = 'ct_canary';
    const tokens = new BerbixTokens({ refreshToken: 'rt', clientToken, expiresAt });
    const asked = Object.assign(new RefreshTokensDto(), { refreshToken: 'rt_canary' });
    const texts = [
      [dto, 'transactionId: 7'],
      [asked, 'refreshToken: [redacted]'],
      [ClientTokenDto.of(tokens), 'expiresAt: 1970'],
      [VerificationStartDto.of(tokens, undefined, true), 'isResumed: true'],
      [VerificationStartDto.of(tokens, 'https://canary', true), 'hostedUrl: '],
    ] as const;
    for (const [object, text] of texts) {
      expect(inspect(object)).toContain(text);
      expect(inspect({ object })).not.toContain('canary');
    }
  });
});
