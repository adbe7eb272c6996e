import { beforeEach, describe, expect, it } from '@jest/globals';
import { BerbixTokens, type VerificationStartDto } from 'nestjs-berbix';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { firstValueFrom } from 'rxjs';
import { InMemoryTokenStore } from '../../lib/token-store/index.js';
import { errorOf } from '../support/errors.js';
import { createTransaction, installClock, startSandbox } from '../support/services.js';
import { replica, type Replica } from './support/verification.js';

const MINUTE_MS = 60_000;

describe('the client token of a resumed verification', () => {
  let sandbox: BerbixSandbox;
  let replicas: [Replica, Replica];

  beforeEach(async () => {
    const store = new InMemoryTokenStore();
    sandbox = await startSandbox();
    replicas = [await replica(sandbox, { store }), await replica(sandbox, { store })];
  });

  const begin = ({ verifications }: Replica): Promise<VerificationStartDto> =>
    firstValueFrom(verifications.begin('ada', { templateKey: sandbox.templateKeys.sdk }));
  const exchanges = (): number => sandbox.requests.to('POST', '/v0/tokens').length;
  const minutesLeft = ({ expiresAt }: VerificationStartDto): number =>
    ((expiresAt as Date).getTime() - Date.now()) / MINUTE_MS;

  /** The transaction of a customer whose client token was not stored. */
  async function handOverWithoutClientToken(): Promise<void> {
    const [one] = replicas;
    const { refreshToken, accessToken, expiresAt, transactionId } = await createTransaction(
      sandbox,
      one,
    );
    const tokens = new BerbixTokens({ refreshToken, accessToken, expiresAt, transactionId });
    await firstValueFrom(one.tokens.remember({ customerUid: 'ada', tokens }));
  }

  it('stays the same for the first half of its lifetime, and is then a new one for all callers', async () => {
    const clock = installClock();
    const [one, two] = replicas;
    const begun = await begin(one);
    clock.advance(28 * MINUTE_MS);
    for (const services of replicas) {
      expect((await begin(services)).clientToken).toBe(begun.clientToken);
    }
    expect(exchanges()).toBe(0);
    clock.advance(4 * MINUTE_MS);
    const starts = await Promise.all([one, two, one, two, one].map(begin));
    starts.push(await begin(one), await begin(two));
    const renewed = new Set(starts.map(({ clientToken }) => clientToken));
    expect(renewed.size).toBe(1);
    expect([...renewed]).not.toContain(begun.clientToken);
    for (const start of starts) expect(minutesLeft(start)).toBeGreaterThan(50);
    expect(exchanges()).toBe(1);
  });

  it('is the existing one while there is no other', async () => {
    const clock = installClock();
    const [one] = replicas;
    const begun = await begin(one);
    clock.advance(40 * MINUTE_MS);
    sandbox.faults.add({ kind: 'status', status: 503, path: '/v0/tokens', times: Infinity });
    const resumed = await begin(one);
    expect(resumed.clientToken).toBe(begun.clientToken);
    expect(minutesLeft(resumed)).toBeLessThan(21);
  });

  it('is exchanged if it was not stored, once for all callers', async () => {
    await handOverWithoutClientToken();
    const [one, two] = replicas;
    const starts = await Promise.all([one, one, two, two].map(begin));
    const { clientToken } = await begin(one);
    expect(clientToken).toEqual(expect.any(String));
    for (const start of starts) expect(start).toMatchObject({ isResumed: true, clientToken });
    expect(exchanges()).toBe(1);
  });

  it('is never missing: it is an error if the API returns none', async () => {
    await handOverWithoutClientToken();
    const { accessToken } = await firstValueFrom(replicas[0].tokens.fresh({ customerUid: 'ada' }));
    const body = { access_token: accessToken, expires_in: 3_600 };
    sandbox.faults.add({ kind: 'answer', path: '/v0/tokens', body });
    for (const { verifications } of [...replicas, ...replicas]) {
      const error = await errorOf(
        verifications.begin('ada', { templateKey: sandbox.templateKeys.sdk }),
      );
      expect(error.code).toBe('BERBIX_RESPONSE');
      expect(error.message).toContain('no client token');
    }
    expect(exchanges()).toBe(1);
  });
});
