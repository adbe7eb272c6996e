import { describe, expect, it } from '@jest/globals';
import type { BerbixTokens } from 'nestjs-berbix';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { firstValueFrom } from 'rxjs';
import { errorOf } from '../support/errors.js';
import {
  createTransaction,
  servicesFor,
  startSandbox,
  type Services,
} from '../support/services.js';

/** The API acts on it, and the answer is lost. */
const LOST = { kind: 'reset', processed: true } as const;

const JPEG = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), Buffer.alloc(2000, 7)]);

async function createApiOnly(
  transactions: Services['transactions'],
  sandbox: BerbixSandbox,
): Promise<BerbixTokens> {
  const { apiOnly: templateKey } = sandbox.templateKeys;
  return (await firstValueFrom(transactions.createApiOnly({ customerUid: 'ada', templateKey })))
    .tokens;
}

describe('a call whose answer was lost', () => {
  it.each<[string, (services: Services, sandbox: BerbixSandbox) => Promise<unknown>]>([
    [
      'an upload',
      async ({ transactions }, sandbox) => {
        const tokens = await createApiOnly(transactions, sandbox);
        sandbox.faults.add(LOST);
        return errorOf(
          transactions.uploadImages(tokens, [{ imageSubject: 'document_front', data: JPEG }]),
        );
      },
    ],
    [
      'an ID scan',
      async ({ transactions }, sandbox) => {
        const tokens = await createApiOnly(transactions, sandbox);
        sandbox.faults.add(LOST);
        return errorOf(transactions.uploadIdScan(tokens, JPEG));
      },
    ],
    [
      'an override',
      async (services, sandbox) => {
        const created = await createTransaction(sandbox, services);
        sandbox.faults.add(LOST);
        return errorOf(services.transactions.override(created, { responsePayload: 'us-dl' }));
      },
    ],
    [
      'an update',
      async (services, sandbox) => {
        const created = await createTransaction(sandbox, services);
        const { transactions } = services;
        const tokens = await firstValueFrom(
          transactions.override(created, { responsePayload: 'us-dl' }),
        );
        sandbox.faults.add(LOST);
        return errorOf(transactions.update(tokens, { action: 'accept' }));
      },
    ],
    [
      'a creation',
      async ({ transactions }, sandbox) => {
        sandbox.faults.add(LOST);
        const templateKey = sandbox.templateKeys.sdk;
        return errorOf(transactions.create({ customerUid: 'ada', templateKey }));
      },
    ],
  ])('is not repeated if the API may have acted on it: %s', async (_what, lose) => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox, { retry: 2 });
    const error = await lose(services, sandbox);
    expect(error).toMatchObject({ code: 'BERBIX_CONNECTION' });
    const { method, path } = sandbox.requests.last!;
    const before = sandbox.requests.to(method, path).length;
    expect(sandbox.faults.pending).toEqual([]);
    expect(before).toBe(1);
  });

  it('is not repeated after a 408, since the API may have acted on it', async () => {
    const sandbox = await startSandbox();
    const { transactions } = await servicesFor(sandbox, { retry: 2 });
    sandbox.faults.add({ kind: 'status', status: 408, processed: true });
    const templateKey = sandbox.templateKeys.sdk;
    const error = await errorOf(transactions.create({ customerUid: 'ada', templateKey }));
    expect(error).toMatchObject({ code: 'BERBIX_TIMEOUT', isWithoutEffect: false });
    expect(sandbox.requests.length).toBe(1);
  });

  it('is repeated if it only reads', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox, { retry: 1 });
    const created = await createTransaction(sandbox, services);
    sandbox.faults.add(LOST);
    const { customerUid } = await firstValueFrom(services.transactions.fetch(created));
    expect(customerUid).toBe('ada');
    expect(sandbox.requests.to('GET', '/v0/transactions')).toHaveLength(2);
  });
});
