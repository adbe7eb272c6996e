import { expect, it } from '@jest/globals';
import { BerbixTokens, type BerbixTransactionService } from 'nestjs-berbix';
import type { Observable } from 'rxjs';
import { startServices } from '../support/services.js';
import { freezeTime } from './support/frozen-time.js';
import { expectApproved } from './support/approved.js';
import { BAD_ANSWERS, FAILURES, REFUSALS, TOKEN_REFUSALS } from './support/answers.js';
import { CALLS, CREATED, REFRESHED, TRANSACTION } from './support/calls.js';
import { ScriptedApi } from './support/scripted-api.js';

freezeTime();

const TOKENS = new BerbixTokens({
  refreshToken: 'rt_of_ada',
  accessToken: 'at_of_ada',
  clientToken: 'ct_of_ada',
  expiresAt: new Date(Date.UTC(2100, 0, 1)),
  lifetimeMs: 3_600_000,
  transactionId: '1',
});
const ACCOUNT = { apiSecret: 'secret_test_of_the_account', apiHost: 'https://api.test', retry: 0 };

async function servicesOf(api: ScriptedApi) {
  return startServices({
    ...ACCOUNT,
    http: { dispatcher: api.dispatcher },
  });
}

/** Keeps the circuit closed: fewer than half of the calls fail. */
async function succeed(api: ScriptedApi, transactions: BerbixTransactionService): Promise<void> {
  const answer = { status: 200, body: TRANSACTION };
  for (let count = 0; count < 2; count++) await api.call('', transactions.fetch(TOKENS), answer);
}

it('the requests of all operations, and the values of their answers, are those approved', async () => {
  const api = new ScriptedApi(true);
  const services = await servicesOf(api);
  for (const [name, call, ...answers] of CALLS) {
    await api.call(name, call(services, TOKENS), ...answers);
  }
  expectApproved('client/requests.txt', api.text);
});

it('what callers get of each answer and failure is approved', async () => {
  const api = new ScriptedApi(false);
  const { transactions, tokens } = await servicesOf(api);
  await succeed(api, transactions);
  for (const answer of [...REFUSALS, ...FAILURES]) {
    await api.call(`fetch() => ${JSON.stringify(answer)}`, transactions.fetch(TOKENS), answer);
    await succeed(api, transactions);
  }
  for (const answer of TOKEN_REFUSALS) {
    await api.call(`refresh() => ${JSON.stringify(answer)}`, tokens.refresh('rt_of_eve'), answer);
    await succeed(api, transactions);
  }
  expectApproved('client/refusals.txt', api.text);
});

it('what callers get of an answer that breaks the contract is approved', async () => {
  const api = new ScriptedApi(false);
  const { transactions, tokens } = await servicesOf(api);
  let count = 0;
  const calls: Record<string, () => Observable<unknown>> = {
    fetch: () => transactions.fetch(TOKENS),
    refresh: () =>
      tokens.refresh(new BerbixTokens({ refreshToken: `rt_${++count}`, transactionId: '1' })),
    create: () => transactions.createHosted({ customerUid: 'ada', templateKey: 'tk_1' }),
    upload: () => transactions.uploadIdScan(TOKENS, 'AAAA'),
  };
  const good = {
    fetch: TRANSACTION,
    refresh: REFRESHED,
    create: CREATED,
    upload: { next_step: 'x' },
  };
  for (const [name, change] of BAD_ANSWERS) {
    const body = { ...good[name], ...change };
    await api.call(`${name} => ${JSON.stringify(change)}`, calls[name]!(), { status: 200, body });
  }
  expect(api.text).not.toContain('undefined');
  expectApproved('client/bad-answers.txt', api.text);
});
