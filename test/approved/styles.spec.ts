import { it } from '@jest/globals';
import { shows } from '../sandbox/console/support/console.js';
import { createHosted } from '../sandbox/support/pages.js';
import { RawClient } from '../sandbox/support/raw-client.js';
import { describeInBrowser } from '../support/browser/describe-in-browser.js';
import { startSandbox } from '../support/services.js';
import { until } from '../support/until.js';
import { expectApproved } from './support/approved.js';
import { Styles } from './support/styles.js';

const LOADING = "document.querySelectorAll('.loading').length";

describeInBrowser('the styles', (openTab) => {
  it('of the pages of a verification', async () => {
    const sandbox = await startSandbox();
    const client = new RawClient(sandbox);
    const tab = await openTab();
    const styles = new Styles(tab);
    for (const [button, title] of [
      ['Review', 'A result to review'],
      ['Accept', 'A good result'],
      ['Reject', 'A bad result'],
    ] as const) {
      await tab.visit(sandbox.url + (await createHosted(client)).page);
      if (button === 'Review') await styles.add('A hosted verification');
      await tab.press(button);
      await styles.add(title);
    }
    await tab.visit(`${sandbox.url}/verify`);
    await styles.add('The form for a client token');
    const { json } = await client.create();
    await tab.visit(`${sandbox.url}/v0/verify?modal=1&client_token=${String(json.client_token)}`);
    // As the script does in the frame of another page.
    await tab.evaluate("document.body.classList.add('framed')");
    await styles.add('In the frame of a front-end SDK');
    expectApproved('styles/pages.txt', styles.text);
  });

  it('of the console', async () => {
    const sandbox = await startSandbox({ refreshToken: 'rotate', webhooks: { retryDelayMs: 1 } });
    const client = new RawClient(sandbox);
    const ada = await sandbox.transactions.create({ customerUid: 'ada' });
    const grace = await sandbox.transactions.create({ customerUid: 'grace' });
    sandbox.faults.add({ kind: 'latency', ms: 30, times: 2 });
    await Promise.all([client.refresh(ada.refreshToken), client.refresh(ada.refreshToken)]);
    sandbox.faults.add({ kind: 'status', status: 503, times: Infinity });
    await client.refresh('rt_unknown');
    sandbox.webhooks.setUrl('finished', 'http://127.0.0.1:1/');
    await sandbox.transactions.complete(ada.id);
    await sandbox.webhooks.settled();
    sandbox.webhooks.setUrl('finished', undefined);
    await sandbox.transactions.complete(grace.id, { action: 'reject', flags: ['id_blocked'] });
    await sandbox.transactions.expireTokens(grace.id);
    const [delivery] = sandbox.deliveries;

    const tab = await openTab();
    const styles = new Styles(tab);
    await tab.visit(`${sandbox.url}#/transactions/${ada.id}`);
    await shows(tab, 'StaticText: Connected');
    for (const [route, line, title] of [
      [`transactions/${ada.id}`, 'heading: ada accept', 'An accepted transaction'],
      [`transactions/${grace.id}`, 'heading: grace reject', 'A rejected transaction'],
      [`requests/${sandbox.requests.last?.id}`, 'heading: POST /v0/tokens 503', 'A request'],
      [`webhooks/${delivery?.id}`, 'heading: finished failed: ECONNREFUSED', 'A webhook'],
      ['faults', 'heading: Add a fault', 'Faults'],
      ['clock', 'heading: State', 'The clock'],
    ] as const) {
      await tab.evaluate(`location.hash = '#/${route}'`);
      await shows(tab, line);
      await until(async () => (await tab.evaluate(LOADING)) === 0);
      await styles.add(title);
    }
    await tab.activate('Create transaction');
    await shows(tab, 'dialog: Create a transaction');
    await styles.add('A dialog');
    expectApproved('styles/console.txt', styles.text);
  });
});
