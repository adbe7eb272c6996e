import { expect, it } from '@jest/globals';
import { describeInBrowser } from '../../support/browser/describe-in-browser.js';
import { startSandbox } from '../../support/services.js';
import { until } from '../../support/until.js';
import { RawClient } from '../support/raw-client.js';
import { expectOnlyFrom, shows } from './support/console.js';

describeInBrowser('the console', (openTab) => {
  it('says that the sandbox is gone, and shows the next one at its address', async () => {
    const first = await startSandbox();
    await new RawClient(first).create({ customer_uid: 'ada' });
    const tab = await openTab();
    await tab.visit(first.url);
    await shows(tab, 'StaticText: ada');
    await first.close();
    await shows(tab, 'StaticText: Not connected: waiting for the sandbox');
    const second = await startSandbox({ port: Number(new URL(first.url).port) });
    await shows(tab, 'StaticText: Live');
    await shows(
      tab,
      'StaticText: There is no transaction yet. Create one above, or from your backend.',
    );
    await new RawClient(second).create({ customer_uid: 'grace' });
    await shows(tab, 'StaticText: grace');
    expect(await tab.outline()).not.toContain('StaticText: ada');
  });

  it('lists the latest of ten thousand transactions and a thousand requests', async () => {
    const sandbox = await startSandbox();
    const client = new RawClient(sandbox);
    for (let count = 0; count < 100; count++) {
      await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          sandbox.transactions.create({ customerUid: `customer-${count}-${index}` }),
        ),
      );
    }
    const tab = await openTab();
    await tab.visit(sandbox.url);
    await shows(tab, 'StaticText: customer-99-99');
    for (let count = 0; count < 1_000; count++) await client.refresh('rt_nonsense');
    await tab.activate('Requests');
    const rows = "document.querySelectorAll('tbody tr').length";
    await until(async () => (await tab.evaluate(rows)) === 200);
    expectOnlyFrom(tab, sandbox.url);
  });
});
