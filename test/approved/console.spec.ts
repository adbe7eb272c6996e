import { createServer } from 'node:http';
import { beforeEach, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { describeInBrowser } from '../support/browser/describe-in-browser.js';
import type { Tab } from '../support/browser/tab.js';
import { listening, startSandbox } from '../support/services.js';
import { until } from '../support/until.js';
import { RawClient } from '../sandbox/support/raw-client.js';
import { holdLists, shows } from '../sandbox/console/support/console.js';
import { expectMarkup } from './support/markup.js';

const DAY_MS = 86_400_000;

describeInBrowser('the pages of the console', (openTab) => {
  let sandbox: BerbixSandbox;
  let client: RawClient;
  let tab: Tab;

  beforeEach(async () => {
    sandbox = await startSandbox({ refreshToken: 'rotate', webhooks: { retryDelayMs: 1 } });
    client = new RawClient(sandbox);
    tab = await openTab();
    await tab.resize(1280, 1000);
    await tab.visit(`${sandbox.url}#/transactions`);
    await shows(tab, 'StaticText: Connected');
  });

  /** Follows a link to a view, or to an item in it. */
  async function visit(route: string): Promise<void> {
    await tab.evaluate(`location.hash = '#/${route}'`);
  }

  async function expectDialog(button: string, name: string): Promise<void> {
    await tab.activate(button);
    await expectMarkup(tab, `console/${name}.txt`, 'dialog');
    await tab.evaluate("document.querySelector('dialog').close()");
  }

  it('are those of an empty sandbox at first', async () => {
    await expectMarkup(tab, 'console/empty.txt', '#console');
    await expectDialog('Create transaction', 'create-dialog');
    await visit('requests');
    await expectMarkup(tab, 'console/requests-empty.txt');
    await visit('webhooks');
    await expectMarkup(tab, 'console/webhooks-empty.txt');
    await visit('faults');
    await expectMarkup(tab, 'console/faults-empty.txt');
    await visit('clock');
    await expectMarkup(tab, 'console/clock.txt');
    await expectDialog('Reset', 'reset-dialog');
  });

  it('are loading until the sandbox has answered', async () => {
    const { url } = await holdLists(sandbox);
    await tab.visit(`${url}#/requests`);
    await expectMarkup(tab, 'console/loading.txt');
  });

  it('show transactions in each state', async () => {
    const [open, accepted] = [
      await sandbox.transactions.create({ customerUid: 'ada', kind: 'hosted' }),
      await sandbox.transactions.create({ customerUid: 'grace' }),
    ];
    const others = { review: ['id_expired'], reject: ['id_under_18', 'id_blocked'] };
    await sandbox.transactions.complete(accepted.id);
    for (const [action, flags] of Object.entries(others)) {
      const { id } = await sandbox.transactions.create({ customerUid: action });
      await sandbox.transactions.complete(id, { action, flags });
    }
    await visit(`transactions/${open.id}`);
    await expectMarkup(tab, 'console/transaction-open.txt');
    await expectDialog('Complete', 'complete-dialog');
    await expectDialog('Revoke refresh token', 'revoke-dialog');
    await expectDialog('Purge', 'purge-dialog');
    const [rejected] = await sandbox.transactions.list();
    await sandbox.transactions.revokeRefreshToken(rejected?.id ?? '');
    await sandbox.transactions.expireTokens(rejected?.id ?? '');
    await visit(`transactions/${rejected?.id}`);
    await expectMarkup(tab, 'console/transaction-rejected.txt');
    await visit('transactions/1');
    await expectMarkup(tab, 'console/transaction-unknown.txt');
    // Long after a full hour, which would be a minute less in a moment.
    sandbox.clock.advance(DAY_MS + 5_400_000);
    await visit(`transactions/${accepted.id}`);
    await expectMarkup(tab, 'console/transaction-expired.txt', '#console');
  });

  it('show what became of each refresh token', async () => {
    const { id, refreshToken } = await sandbox.transactions.create({ customerUid: 'ada' });
    const first = await client.refresh(refreshToken);
    await client.refresh(refreshToken);
    sandbox.faults.add({ kind: 'latency', ms: 30, times: 2 });
    await Promise.all([
      client.refresh(first.json.refresh_token),
      client.refresh(first.json.refresh_token),
    ]);
    const rotated = await sandbox.transactions.rotateRefreshToken(id);
    sandbox.faults.add({ kind: 'reset', processed: true });
    await expect(client.refresh(rotated)).rejects.toThrow('ECONNRESET');
    sandbox.faults.add({ kind: 'status', status: 503 });
    await client.refresh((await sandbox.transactions.find(id))?.refreshToken);
    await visit(`transactions/${id}`);
    await expectMarkup(tab, 'console/refresh-tokens.txt', '.lineage');
  });

  it('show requests, each with what is unusual about it', async () => {
    await client.create({ customer_uid: 'ada', phone: '+1' });
    const { last: created } = sandbox.requests;
    await client.refresh('rt_unknown');
    sandbox.faults.add({ kind: 'hang' });
    const silent = client.open('GET', '/v0/transactions').on('error', () => undefined);
    await until(() => [...sandbox.requests].length === 3);
    await visit('requests');
    await expectMarkup(tab, 'console/requests.txt', '.list');
    await visit(`requests/${created?.id}`);
    await expectMarkup(tab, 'console/request.txt', '.panel');
    await visit(`requests/${sandbox.requests.last?.id}`);
    await expectMarkup(tab, 'console/request-unanswered.txt', '.panel');
    await visit('requests/1');
    await expectMarkup(tab, 'console/request-unknown.txt', '.panel');
    silent.destroy();
  });

  it('show webhooks, each with what its answer means', async () => {
    const statuses: Record<string, number> = { '/accepts': 200, '/misses': 404, '/fails': 500 };
    const application = createServer((request, response) => {
      const status = statuses[request.url ?? ''] ?? 200;
      request.resume().on('end', () => response.writeHead(status).end());
    });
    const url = await listening(application);
    const ids: string[] = [];
    for (const path of Object.keys(statuses)) {
      sandbox.webhooks.setUrl('finished', url + path);
      ids.push((await sandbox.webhooks.sendTest('finished')).id);
    }
    await sandbox.webhooks.settled();
    await visit('webhooks');
    await expectMarkup(tab, 'console/webhooks.txt');
    for (const [index, name] of ['delivered', 'missed', 'failed'].entries()) {
      await visit(`webhooks/${ids[index]}`);
      await expectMarkup(tab, `console/webhook-${name}.txt`, '.panel');
    }
    sandbox.webhooks.setUrl('finished', `${url}/accepts`);
    for (const fault of ['unsigned', 'late'] as const) {
      const { id } = await sandbox.webhooks.resend(ids[0] ?? '', fault);
      await visit(`webhooks/${id}`);
      await expectMarkup(tab, `console/webhook-${fault}.txt`, '.panel');
    }
  });

  it('show faults, and what a new one needs', async () => {
    sandbox.faults.add({ kind: 'status', status: 503, probability: 0.5, seed: 7, forMs: DAY_MS });
    sandbox.faults.add({ kind: 'latency', ms: 20, path: '/v0/tokens', times: 3 });
    sandbox.faults.add({ kind: 'reset', method: 'POST', processed: true, times: Infinity });
    await visit('faults');
    await tab.choose('What happens', 'Answer later');
    await tab.choose('How often', 'With a probability');
    await expectMarkup(tab, 'console/faults.txt', '#console');
    await tab.activate('Remove all');
    await shows(tab, 'StaticText: No fault is pending.');
    await expectMarkup(tab, 'console/notice.txt', '.notice');
  });
});
