import { beforeAll, beforeEach, describe, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { EventReader } from '../sandbox/support/event-reader.js';
import { expectApproved } from './support/approved.js';
import { Conversation, startKnownSandbox } from './support/conversation.js';
import { freezeTime } from './support/frozen-time.js';

const DAY_MS = 86_400_000;
const UNKNOWN = '/sandbox/transactions/1';

describe('the control API', () => {
  freezeTime();
  let sandbox: BerbixSandbox;
  let control: Conversation;
  /** What it sends is not written down. */
  let backend: Conversation;

  beforeAll(async () => {
    sandbox = await startKnownSandbox({ refreshToken: 'rotate', rotationGraceSeconds: 60 });
  });

  beforeEach(async () => {
    await sandbox.reset();
    control = new Conversation(sandbox);
    backend = new Conversation(sandbox);
  });

  const post = (path: string, body: unknown) => control.send('POST', path, { body });

  it('lists its operations', async () => {
    await control.send('GET', '/sandbox');
    expectApproved('control/operations.txt', control.text);
  });

  it('shows requests', async () => {
    await control.send('GET', '/sandbox/requests');
    await backend.send('GET', '/v0/transactions?access_token=secret', {
      authorization: 'Bearer at_secret',
      headers: { cookie: 'session=1', 'user-agent': 'a program' },
    });
    sandbox.faults.add({ kind: 'status', status: 503, processed: true });
    await backend.create({ phone: '5551234', email: 'ada@example.com' });
    await control.send('GET', '/sandbox/requests?summary=1');
    await control.send('GET', '/sandbox/requests?summary=2');
    await control.send('GET', `/sandbox/requests/${sandbox.requests.last?.id}?secrets=1`);
    await control.send('GET', '/sandbox/requests/unknown');
    await control.send('DELETE', '/sandbox/requests');
    await control.send('GET', '/sandbox/requests');
    expectApproved('control/requests.txt', control.text);
  });

  it('shows and moves the clock', async () => {
    await control.send('GET', '/sandbox/clock');
    for (const body of [
      { advance_ms: 1000 },
      { advance_ms: -500 },
      { now: '2030-01-01T00:00:00Z' },
      { now: 0 },
      {},
      { advance_ms: 1, now: 1 },
      { advance_ms: 1, by: 'me' },
      { advance_ms: '1' },
      { advance_ms: 9e16 },
      { now: 'tomorrow' },
      { now: true },
      { now: 8e15 },
    ]) {
      await post('/sandbox/clock', body);
    }
    expectApproved('control/clock.txt', control.text);
  });

  it('shows and removes faults', async () => {
    await post('/sandbox/faults', { kind: 'hang', probability: 0.5 });
    await post('/sandbox/faults', {
      kind: 'hang',
      probability: 1,
      seed: 7,
      for_ms: 60_000,
      times: 2,
    });
    const secrets = { authorization: 'Basic a\nb', note: 'secret_live_a~b/c is a secret' };
    await post('/sandbox/faults', { kind: 'answer', path: '/never', body: secrets });
    const last = sandbox.faults.pending[1]?.id ?? '';
    await control.send('DELETE', `/sandbox/faults/${last}`);
    await control.send('DELETE', `/sandbox/faults/${last}`);
    await control.send('GET', '/sandbox/faults');
    await control.send('DELETE', '/sandbox/faults');
    await control.send('GET', '/sandbox/faults');
    expectApproved('control/faults.txt', control.text);
  });

  it('creates, shows and lists transactions', async () => {
    await control.send('GET', '/sandbox/transactions');
    await post('/sandbox/transactions', { kind: 'hosted', customer_uid: 'ada' });
    sandbox.clock.advance(1000);
    await post('/sandbox/transactions?secrets=1', { mode: 'live', customer_uid: 'grace' });
    await post('/sandbox/transactions', { kind: 'apiOnly', customer_uid: 'ada' });
    for (const body of [{ kind: 'api' }, { mode: 'LIVE' }, { customer_uid: 7 }, { uid: 'ada' }]) {
      await post('/sandbox/transactions', body);
    }
    const [apiOnly] = await sandbox.transactions.list();
    await sandbox.transactions.complete(apiOnly?.id ?? '', { flags: ['id_under_18'] });
    for (const query of [
      '?customer=ada&state=open&secrets=1',
      '?state=completed&customer=',
      '?limit=1',
      '?limit=1000',
      '?limit=0',
      '?limit=1001',
      '?limit=1e3',
      '?state=done',
      '?customer=ada&customer=grace',
      '?mode=live',
    ]) {
      await control.send('GET', `/sandbox/transactions${query}`);
    }
    sandbox.clock.advance(30 * DAY_MS - 1000);
    await control.send('GET', '/sandbox/transactions?customer=ada&state=open');
    await control.send('GET', UNKNOWN);
    await control.send('GET', '/sandbox/transactions/one');
    expectApproved('control/transactions.txt', control.text);
  });

  it('makes things happen to a transaction', async () => {
    const created = await sandbox.transactions.create({ kind: 'hosted', customerUid: 'ada' });
    const path = `/sandbox/transactions/${created.id}`;
    const simulate = (body: unknown) => post(`${path}/simulate`, body);
    await backend.send('POST', '/v0/tokens', {
      authorization: `Basic ${Buffer.from(`${sandbox.apiSecret}:`).toString('base64')}`,
      headers: { 'user-agent': 'a backend '.repeat(30) },
      body: { refresh_token: created.refreshToken },
    });
    await control.send('GET', path);
    await backend.refresh(created.refreshToken);
    await simulate({ action: 'expire_tokens' });
    await simulate({ action: 'rotate_refresh_token' });
    await backend.refresh(created.refreshToken);
    await simulate({ action: 'revoke_refresh_token' });
    await simulate({ action: 'rotate_refresh_token' });
    await control.send('GET', path);
    for (const body of [
      {},
      { action: 'explode' },
      { action: 'purge', id: 1 },
      { action: 'complete', flag: 'id_expired' },
      { action: 'complete', result: 'maybe' },
      { action: 'complete', result: 7 },
      { action: 'complete', flags: 'id_expired' },
      { action: 'complete', fields: { age: 7 } },
      { action: 'complete', result: 'reject', fields: { given_name: 'ADA' } },
      { action: 'complete' },
    ]) {
      await simulate(body);
    }
    await control.send('GET', path);
    await simulate({ action: 'purge' });
    await simulate({ action: 'purge' });
    await post('/sandbox/transactions/x/simulate', { action: 'expire_tokens' });
    expectApproved('control/simulations.txt', control.text);
  });

  it('exports, imports and removes the state', async () => {
    sandbox.clock.advance(5000);
    const { hosted, apiOnly } = sandbox.templateKeys;
    await backend.create({
      email: 'a@example.com',
      phone: '+1',
      match_data: { given_name: 'Ada' },
    });
    const hosted_options = { redirect_url: 'https://example.com/' };
    const { json } = await backend.create({ template_key: hosted, hosted_options });
    await backend.override(json.access_token, { response_payload: 'us-id', flags: ['id_expired'] });
    await backend.update(json.access_token, { action: 'accept', note: 'A known person.' });
    const other = await backend.create({
      template_key: apiOnly,
      api_only_options: { id_type: 'P' },
    });
    await sandbox.transactions.expireTokens(String(other.json.transaction_id));
    await sandbox.transactions.revokeRefreshToken(String(other.json.transaction_id));
    await control.send('GET', '/sandbox/state');
    await control.send('GET', '/sandbox/state?secrets=1');
    const state = await sandbox.exportState();
    await control.send('DELETE', '/sandbox/state');
    await control.send('GET', '/sandbox/clock');
    await sandbox.importState(state);
    await control.send('GET', '/sandbox/clock');
    expectApproved('control/state.txt', control.text);
  });

  it('streams what happens', async () => {
    const reader = await EventReader.open(control);
    const { json } = await control.create({ customer_uid: 'ada' });
    await control.refresh(json.refresh_token);
    sandbox.faults.add({ kind: 'status', status: 503 });
    await control.refresh(json.refresh_token);
    sandbox.clock.advance(60_000);
    await control.override(json.access_token, { response_payload: 'passport' });
    await control.delete(json.access_token);
    await sandbox.reset();
    control.about('The events');
    const numberOf = (id: string) => Number(id.replace(/^[0-9a-f]{8}-/, ''));
    const [snapshot, ...events] = await reader.until('state');
    const first = numberOf(snapshot?.id ?? '');
    control.note(JSON.stringify({ ...snapshot?.data, run: '{run}' }));
    for (const { id, kind, data } of events) {
      control.note(`${numberOf(id) - first}: ${kind}`);
      control.note(JSON.stringify(data));
    }
    reader.close();
    expectApproved('control/events.txt', control.text);
  });
});
