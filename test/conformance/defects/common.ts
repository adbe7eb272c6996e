import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { expect } from '@jest/globals';
import * as sdk from 'berbix';
import { BerbixError, BerbixTokens, ClientTokenDto } from 'nestjs-berbix';
import type { BerbixSandbox, SandboxFault } from 'nestjs-berbix/sandbox';
import { firstValueFrom } from 'rxjs';
import { errorOf, rejectionOf } from '../../support/errors.js';
import { STORES, isAvailable } from '../../support/servers.js';
import { createTransaction, servicesFor } from '../../support/services.js';
import { everyViewOf } from '../../support/sinks.js';
import { allKeys } from '../../token-store/support/steps.js';
import { startBoth } from '../support/official-sdk.js';
import type { Proofs } from '../sdk-defects.js';
import {
  REFUSED,
  SECRET,
  startVerifiers,
  timestampOf,
  verifyWithDigest,
} from '../support/webhook-verifiers.js';

const [EXCHANGE, CREATE, FETCH] = [
  'POST /v0/tokens',
  'POST /v0/transactions',
  'GET /v0/transactions',
];

const HOUR_MS = 3_600_000;
const TEN_YEARS_MS = 10 * 365 * 24 * HOUR_MS;

/** The requests that arrived since the last call. */
function arrivedAt(sandbox: BerbixSandbox): string[] {
  const arrived = [...sandbox.requests].map(({ method, path }) => `${method} ${path}`);
  sandbox.requests.clear();
  return arrived;
}

export const common: Proofs<'C'> = {
  async C1() {
    for (const refreshToken of ['omit', 'echo', 'rotate'] as const) {
      const { sandbox, theirs, ours } = await startBoth({ refreshToken });
      const options = { customerUid: 'ada', templateKey: sandbox.templateKeys.sdk };

      const official = await theirs.createTransaction(options);
      if (refreshToken === 'omit') {
        expect((await theirs.refreshTokens(official)).refreshToken).toBeUndefined();
      }
      if (refreshToken === 'rotate') {
        // It refreshes by itself, and keeps the refresh token that is dead afterwards.
        const stored = sdk.Tokens.fromRefresh(official.refreshToken);
        await theirs.fetchTransaction(stored);
        expect(stored.refreshToken).toBe(official.refreshToken);
        expect(await rejectionOf(theirs.refreshTokens(stored))).toMatchObject({ status: 401 });
      }

      let stored = (await createTransaction(sandbox, ours)).refreshToken;
      for (let visit = 0; visit < 3; visit++) {
        stored = (await firstValueFrom(ours.tokens.refresh(stored))).refreshToken;
        stored = (await firstValueFrom(ours.transactions.fetch(stored))).tokens.refreshToken;
      }
      expect((await firstValueFrom(ours.tokens.refresh(stored))).accessToken).toMatch(/^at_/);
    }
  },

  async C2() {
    const { sandbox, theirs, ours } = await startBoth();
    const { refreshToken } = await createTransaction(sandbox, ours);
    const five = Array.from({ length: 5 });

    arrivedAt(sandbox);
    await Promise.all(five.map(() => theirs.refreshTokens(sdk.Tokens.fromRefresh(refreshToken))));
    expect(arrivedAt(sandbox)).toHaveLength(5);

    await Promise.all(five.map(() => firstValueFrom(ours.tokens.refresh(refreshToken))));
    expect(arrivedAt(sandbox)).toEqual([EXCHANGE]);
  },

  async C3() {
    const { sandbox, theirs, ours } = await startBoth();
    const { refreshToken, accessToken } = await createTransaction(sandbox, ours);
    const soon = Date.now() + 30_000;
    arrivedAt(sandbox);

    const dying: sdk.Tokens = sdk.Tokens.fromRefresh(refreshToken);
    Object.assign(dying, { accessToken, expiry: soon / 1000 });
    await theirs.fetchTransaction(dying);
    expect(arrivedAt(sandbox)).toEqual([FETCH]);

    const ourDying = new BerbixTokens({ refreshToken, accessToken, expiresAt: new Date(soon) });
    await firstValueFrom(ours.transactions.fetch(ourDying));
    expect(arrivedAt(sandbox)).toEqual([EXCHANGE, FETCH]);
  },

  async C4() {
    const { sandbox, theirs, ours } = await startBoth();
    const created = await createTransaction(sandbox, ours);
    const official = Object.assign(sdk.Tokens.fromRefresh(created.refreshToken), {
      accessToken: created.accessToken,
      expiry: Number(created.expiresAt) / 1000,
    });
    // The API's clock is an hour ahead of ours.
    sandbox.clock.advance(3_600_000);
    arrivedAt(sandbox);

    expect(await rejectionOf(theirs.fetchTransaction(official))).toMatchObject({ status: 401 });
    expect(arrivedAt(sandbox)).toEqual([FETCH]);

    expect((await firstValueFrom(ours.transactions.fetch(created))).customerUid).toBe('ada');
    expect(arrivedAt(sandbox)).toEqual([FETCH, EXCHANGE, FETCH]);
  },

  async C5() {
    const { sandbox, theirs, ours } = await startBoth({}, { retry: { limit: 2, backoffLimit: 1 } });
    const created = await createTransaction(sandbox, ours);
    const official = await theirs.createTransaction({
      customerUid: 'ada',
      templateKey: sandbox.templateKeys.sdk,
    });

    const passing: SandboxFault[] = [
      { kind: 'status', status: 429 },
      { kind: 'status', status: 503 },
      { kind: 'html', status: 502 },
    ];
    for (const fault of passing) {
      arrivedAt(sandbox);
      sandbox.faults.add(fault);
      await rejectionOf(theirs.fetchTransaction(official));
      expect(arrivedAt(sandbox)).toEqual([FETCH]);
    }
    // A reset would end the process with the official client in it: see node.1.
    for (const fault of [...passing, { kind: 'reset' } as const]) {
      sandbox.faults.add(fault);
      await firstValueFrom(ours.transactions.fetch(created));
      expect(arrivedAt(sandbox)).toEqual([FETCH, FETCH]);
      sandbox.faults.add(fault);
      await firstValueFrom(ours.tokens.refresh(created));
      expect(arrivedAt(sandbox)).toEqual([EXCHANGE, EXCHANGE]);
    }
    // A second creation would make a second transaction.
    const { transactions } = await servicesFor(sandbox, { retry: 2 });
    for (const fault of [{ kind: 'status', status: 503 }, { kind: 'reset' }] as const) {
      sandbox.faults.add(fault);
      const create = { customerUid: 'ada', templateKey: sandbox.templateKeys.sdk };
      expect(await errorOf(transactions.create(create))).toMatchObject({ retryable: true });
      expect(arrivedAt(sandbox)).toEqual([CREATE]);
    }
  },

  async C6() {
    const { sandbox, send, theirs, ours, answers } = await startVerifiers();
    const good = await send();
    const [, timestamp, hex] = good.header.split(',') as [string, string, string];
    sandbox.clock.advance(TEN_YEARS_MS);
    const early = await send();
    expect(timestampOf(early)).toBeGreaterThan((Date.now() + TEN_YEARS_MS / 2) / 1000);
    // A test cannot show reliably that it takes longer if more of the text matches; its code does.
    expect(sdk.Client.prototype.validateSignature.toString()).toContain('digest === signature');

    expect([good.status, theirs(good), await ours(good)]).toEqual([201, true, 'ada']);
    const takenByThem = [
      early,
      ...[`zz,${timestamp},${hex}`, `,${timestamp},${hex}`, `${good.header},x`].map((header) => ({
        ...good,
        header,
      })),
    ];
    for (const delivery of takenByThem) {
      expect([theirs(delivery), await ours(delivery)]).toEqual([true, REFUSED]);
      expect(await answers(delivery)).toEqual([401, 401]);
    }
    expect(early.status).toBe(401);
    for (const header of ['', 'v0', `v0,${timestamp}`, `v0, ${timestamp},${hex}`]) {
      expect(await ours({ ...good, header })).toBe(REFUSED);
    }
    // All secrets are tried in constant time, whichever matches.
    const verdicts = await verifyWithDigest(hex, [good], [SECRET, 'whs_2', 'whs_3']);
    expect(verdicts).toEqual([{ comparisons: 3, end: 'ada' }]);
  },

  async C7() {
    const { sandbox, theirs, ours } = await startBoth();
    const created = await createTransaction(sandbox, ours);
    const official = sdk.Tokens.fromRefresh(created.refreshToken);
    sandbox.faults.add({ kind: 'html', status: 500 });
    const thrown = await rejectionOf(theirs.refreshTokens(official));
    expect(thrown).not.toBeInstanceOf(Error);
    expect(thrown).toEqual({ status: 500, error: 'could not parse response' });

    const codes: [status: number, code: string][] = [
      [400, 'BERBIX_REQUEST'],
      [401, 'BERBIX_INVALID_ACCESS_TOKEN'],
      [403, 'BERBIX_REQUEST'],
      [404, 'BERBIX_REQUEST'],
      [408, 'BERBIX_TIMEOUT'],
      [409, 'BERBIX_CONFLICT'],
      [410, 'BERBIX_GONE'],
      [413, 'BERBIX_REQUEST'],
      [422, 'BERBIX_REQUEST'],
      [429, 'BERBIX_RATE_LIMIT'],
    ];
    for (const [status, code] of codes) {
      sandbox.faults.add({
        kind: 'status',
        status,
        readable: 'a_reason',
        message: 'In words',
        path: '/v0/transactions',
        times: status === 401 ? 2 : 1,
      });
      const error = await errorOf(ours.transactions.fetch(created));
      expect(error).toBeInstanceOf(BerbixError);
      expect(error).toMatchObject({ status, code, readable: 'a_reason', method: 'GET' });
      expect(error.message).toContain('In words');
    }
    for (const fault of [
      { kind: 'status', status: 500 },
      { kind: 'html', status: 502 },
    ] as const) {
      sandbox.faults.add(fault);
      const error = await errorOf(ours.transactions.fetch(created));
      expect(error).toMatchObject({ status: fault.status, code: 'BERBIX_SERVER' });
    }
  },

  async C8() {
    const { sandbox, theirs } = await startBoth({ refreshToken: 'rotate' });
    const options = { customerUid: 'ada', templateKey: sandbox.templateKeys.sdk };
    const saved = JSON.stringify((await theirs.createTransaction(options)).refreshToken);
    const stored = (): sdk.Tokens => sdk.Tokens.fromRefresh(JSON.parse(saved) as string);
    await theirs.fetchTransaction(stored());
    // Nobody has saved the result of the call, so there is no second one.
    expect(await rejectionOf(theirs.fetchTransaction(stored()))).toMatchObject({ status: 401 });

    for (const { open } of STORES.filter(isAvailable)) {
      const { store, another } = await open();
      const encryption = { keys: { k1: randomBytes(32).toString('base64') }, current: 'k1' };
      const start = () => servicesFor(sandbox, { store, encryption });
      const before = await start();
      const created = await createTransaction(sandbox, before);
      const secrets = [created.refreshToken, created.accessToken, created.clientToken];
      await firstValueFrom(before.tokens.remember({ customerUid: 'ada', tokens: created }));
      // The refresh token is replaced twice; then the process ends.
      let fresh = created;
      for (let exchange = 0; exchange < 2; exchange++) {
        fresh = await firstValueFrom(before.tokens.refresh(fresh));
        expect(secrets).not.toContain(fresh.refreshToken);
        secrets.push(fresh.refreshToken, fresh.accessToken, fresh.clientToken);
      }
      const newest = secrets.slice(-3);
      await before.module.close();

      const replica = { store: another, encryption };
      for (const services of [await start(), await servicesFor(sandbox, replica)]) {
        arrivedAt(sandbox);
        const found = await firstValueFrom(services.tokens.fresh({ customerUid: 'ada' }));
        expect([found.refreshToken, found.accessToken, found.clientToken]).toEqual(newest);
        const transaction = await firstValueFrom(services.transactions.fetch(found));
        expect(transaction).toMatchObject({ customerUid: 'ada', id: created.transactionId });
        expect(arrivedAt(sandbox)).toEqual([FETCH]);
      }
      const keys = await allKeys(another);
      const records = await Promise.all(keys.map((key) => another.load(key)));
      expect(records.length).toBeGreaterThan(0);
      for (const secret of secrets) expect(JSON.stringify(records)).not.toContain(secret);
    }
  },

  async C9() {
    const { sandbox, theirs, ours } = await startBoth();
    const apiOnly = { customerUid: 'ada', templateKey: sandbox.templateKeys.apiOnly };
    const official = await theirs.createApiOnlyTransaction(apiOnly);
    expect(Object.keys(official)).not.toContain('firstStep');
    expect(official.response?.['first_step']).toBe('upload_document_front');

    const created = await firstValueFrom(ours.transactions.createApiOnly(apiOnly));
    expect(created.firstStep).toBe('upload_document_front');
    const { hostedUrl, tokens } = await firstValueFrom(
      ours.transactions.createHosted({
        customerUid: 'ada',
        templateKey: sandbox.templateKeys.hosted,
      }),
    );
    expect(hostedUrl).toMatch(/^http.*\/hosted\//);
    expect(Number(tokens.expiresAt)).toBeGreaterThan(Date.now());
  },

  async C10() {
    const { sandbox, theirs, ours } = await startBoth();
    const options = { customerUid: 'ada', templateKey: sandbox.templateKeys.sdk };
    const official = await theirs.createTransaction(options);
    expect(JSON.stringify(official)).toContain(official.refreshToken);
    expect(inspect(official)).toContain(official.refreshToken);

    const tokens = await createTransaction(sandbox, ours);
    const fetched = await firstValueFrom(ours.transactions.fetch(tokens));
    for (const value of [tokens, { ...tokens }, [tokens], fetched, ClientTokenDto.of(tokens)]) {
      const views = await everyViewOf(value);
      expect(views).not.toContain(tokens.refreshToken);
      expect(views).not.toContain(tokens.accessToken);
    }
    // The browser gets only the token that it may have.
    expect(JSON.parse(JSON.stringify(ClientTokenDto.of(tokens)))).toEqual({
      clientToken: tokens.clientToken,
      expiresAt: tokens.expiresAt?.toISOString(),
    });
  },
};
