import { it } from '@jest/globals';
import { createHosted } from '../sandbox/support/pages.js';
import { RawClient } from '../sandbox/support/raw-client.js';
import { describeInBrowser } from '../support/browser/describe-in-browser.js';
import { startSandbox } from '../support/services.js';
import { expectApproved } from './support/approved.js';
import { Styles } from './support/styles.js';

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
});
