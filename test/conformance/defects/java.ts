import { expect } from '@jest/globals';
import { BerbixTokens, type OverrideTransactionDto } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { errorOf } from '../../support/errors.js';
import {
  createTransaction,
  servicesFor,
  startSandbox,
  startServices,
} from '../../support/services.js';
import { until } from '../../support/until.js';
import { TOKEN_ANSWER, startServer } from '../support/plain-server.js';
import type { Proofs } from '../sdk-defects.js';
import { watchTimers } from '../support/timers.js';
import { REFUSED, startVerifiers, timestampOf } from '../support/webhook-verifiers.js';

const IMAGE = { imageSubject: 'document_front', data: 'AAAA' } as const;
const [IMAGES, OVERRIDE] = ['/v0/images/upload', '/v0/transactions/override'];

export const java: Proofs<'java.'> = {
  async 'java.1'() {
    const { sandbox, send, ours, answers } = await startVerifiers();
    const good = await send();
    for (const [seconds, end] of [
      [300, 'ada'],
      [301, REFUSED],
      [8 * 3600, REFUSED],
      [30_000, REFUSED],
    ] as const) {
      const now = new Date((timestampOf(good) + seconds) * 1000);
      expect([seconds, await ours(good, now)]).toEqual([seconds, end]);
    }
    // Over HTTP too: the signer's clock is eight hours slow.
    sandbox.clock.advance(-8 * 3_600_000);
    const late = await send();
    expect(late.status).toBe(401);
    expect(await answers(late)).toEqual([401, 401]);
  },

  async 'java.2'() {
    const { send, theirs, ours, answers } = await startVerifiers();
    const good = await send('Zoë');
    expect(await ours(good)).toBe('Zoë');
    for (const other of ['é', '?', '\u00eb\u0301', 'e\u0308']) {
      const altered = { ...good, body: good.body.replace('ë', other) };
      expect(altered.body).not.toBe(good.body);
      expect(await ours(altered)).toBe(REFUSED);
      expect(await answers(altered)).toEqual([401, 401]);
    }
    // The text of a body is not its bytes: all invalid bytes are read as U+FFFD.
    const odd = await send('Zo\ufffd');
    const altered = { ...odd, body: Buffer.from(odd.body.replace('\ufffd', '\u00eb'), 'latin1') };
    expect([theirs(altered), await ours(altered)]).toEqual([true, REFUSED]);
    expect(await ours(odd)).toBe('Zo\ufffd');
  },

  async 'java.3'() {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    const results = [];
    for (const visa of [true, false, undefined]) {
      const details = visa !== undefined && {
        unsupported_id_type: { visa_page_of_passport: visa },
      };
      sandbox.faults.add({
        kind: 'answer',
        path: IMAGES,
        body: { next_step: 'upload_document_front', ...(details && { issue_details: details }) },
      });
      results.push(await firstValueFrom(services.transactions.uploadImages(created, [IMAGE])));
    }
    expect(results.map(({ issueDetails }) => issueDetails.visaPageOfPassport)).toEqual([
      true,
      false,
      undefined,
    ]);
  },

  async 'java.4'() {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const expired = ({ refreshToken, clientToken }: BerbixTokens): BerbixTokens =>
      new BerbixTokens({
        refreshToken,
        clientToken,
        accessToken: 'at_expired',
        expiresAt: new Date(0),
      });
    for (const given of [({ refreshToken }: BerbixTokens) => refreshToken, expired]) {
      const created = await createTransaction(sandbox, services);
      sandbox.requests.clear();
      sandbox.faults.add({ kind: 'answer', path: IMAGES, body: { next_step: 'done' } });
      const upload = services.transactions.uploadImages(given(created), [IMAGE]);
      const { tokens } = await firstValueFrom(upload);
      expect(sandbox.requests.to('POST', '/v0/tokens')).toHaveLength(1);
      expect(sandbox.requests.last?.headers.authorization).toBe(`Bearer ${tokens.clientToken}`);
    }
    // A token that looked valid is refreshed too if it is refused.
    const good = await createTransaction(sandbox, services);
    sandbox.faults.add({ kind: 'status', status: 401, path: IMAGES });
    sandbox.faults.add({ kind: 'answer', path: IMAGES, body: { next_step: 'done' } });
    sandbox.requests.clear();
    const result = await firstValueFrom(services.transactions.uploadImages(good, [IMAGE]));
    expect(result.nextStep).toBe('done');
    expect([...sandbox.requests].map(({ path }) => path)).toEqual([IMAGES, '/v0/tokens', IMAGES]);
  },

  async 'java.5'() {
    const server = await startServer(({ method }, response) => {
      if (method === 'POST') response.end(JSON.stringify(TOKEN_ANSWER));
      else response.writeHead(204).end();
    });
    const timers = watchTimers();
    const plain = await startServices({
      apiSecret: 'x',
      apiHost: server.url,
      timeoutMs: 54_321,
      totalTimeoutMs: 65_432,
    });
    const tokens = await firstValueFrom(plain.tokens.refresh('rt_1'));
    const result = { responsePayload: 'us-dl' } as const;
    for (let call = 0; call < 20; call++) {
      await firstValueFrom(plain.transactions.override(tokens, result));
      await firstValueFrom(plain.transactions.delete(tokens));
    }
    expect(server.opened()).toBeLessThanOrEqual(2);
    expect(timers.set()).toEqual(expect.arrayContaining([54_321, 65_432]));
    await plain.module.close();
    await until(() => server.closed() === server.opened());

    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    for (const [status, body] of [
      [200, { entity: 'transaction_metadata' }],
      [202, ''],
      [204, ''],
    ] as const) {
      sandbox.faults.add({ kind: 'answer', status, body, times: 2 });
      const { transactions } = services;
      expect(await firstValueFrom(transactions.override(created, result))).toBeDefined();
      expect(await firstValueFrom(transactions.delete(created))).toBeUndefined();
    }

    const quoted = { code: 403, message: `no ${created.accessToken}`, secret: 'in the body' };
    sandbox.faults.add({ kind: 'answer', status: 403, body: quoted });
    const error = await errorOf(services.transactions.delete(created));
    expect(error).toMatchObject({ status: 403, method: 'DELETE', path: '/v0/transactions' });
    expect(error.message).toContain('DELETE /v0/transactions was refused');
    expect(JSON.stringify(error)).not.toContain(created.accessToken);
    expect(JSON.stringify(error)).not.toContain('in the body');
  },

  async 'java.6'() {
    const expiresAt = new Date(Date.now() + 3_600_000);
    expect(new BerbixTokens({ refreshToken: 'rt_1', expiresAt }).needsRefresh()).toBe(true);

    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    sandbox.faults.add({ kind: 'answer', body: { next_step: 'done' }, path: '/v0/idscans/upload' });
    const scan = services.transactions.uploadIdScan(created, Buffer.from('ANSI 636'));
    expect((await firstValueFrom(scan)).nextStep).toBe('done');

    const payloads: OverrideTransactionDto['responsePayload'][] = ['passport', 'us-passport'];
    for (const responsePayload of payloads) {
      sandbox.faults.add({ kind: 'answer', status: 204, body: '', path: OVERRIDE });
      await firstValueFrom(services.transactions.override(created, { responsePayload }));
      const sent = JSON.parse(sandbox.requests.last?.body ?? '') as object;
      expect(sent).toEqual({ response_payload: responsePayload });
    }
  },
};
