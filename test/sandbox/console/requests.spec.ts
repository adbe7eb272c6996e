import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { expectAccessible } from '../../support/browser/accessibility.js';
import { describeInBrowser, PAGE_PLATFORMS } from '../../support/browser/describe-in-browser.js';
import type { Tab } from '../../support/browser/tab.js';
import { startSandboxOn } from '../../support/services.js';
import { until } from '../../support/until.js';
import { RawClient } from '../support/raw-client.js';
import { expectOnlyFrom, shows } from './support/console.js';

describeInBrowser('the requests of the console', (openTab) => {
  describe.each(PAGE_PLATFORMS)('on %s', (platform) => {
    let sandbox: BerbixSandbox;
    let client: RawClient;
    let tab: Tab;

    beforeEach(async () => {
      sandbox = await startSandboxOn(platform);
      client = new RawClient(sandbox);
      tab = await openTab();
      await tab.resize(1280, 800);
    });

    it('appear while they happen, with their content and without their secrets', async () => {
      await tab.visit(`${sandbox.url}#/requests`);
      await tab.until((outline) => outline.some((line) => line.includes('No request yet.')));
      const { json } = await client.create({ customer_uid: 'ada' });
      const refreshToken = String(json.refresh_token);
      await tab.activate('POST /v0/transactions');
      await shows(tab, 'heading: POST /v0/transactions 200');
      await shows(tab, 'StaticText: Basic [redacted]');
      await client.refresh(json.refresh_token);
      await tab.activate('POST /v0/tokens');
      await shows(tab, 'heading: POST /v0/tokens 200');
      const marked = "document.querySelector('table').querySelectorAll('[aria-current]')";
      expect(await tab.evaluate(`[...${marked}].map((it) => it.innerText).join()`)).toBe(
        'POST /v0/tokens',
      );
      expect(await tab.evaluate('document.body.innerText')).not.toContain(refreshToken);
      await expectAccessible(tab);
      await tab.activate('Show secrets');
      await until(async () =>
        String(await tab.evaluate('document.body.innerText')).includes(refreshToken),
      );
      expectOnlyFrom(tab, sandbox.url);
    });

    it('are sent again, found by their path, and cleared', async () => {
      const { json } = await client.create();
      await client.refresh(json.refresh_token);
      await tab.visit(`${sandbox.url}#/requests/${sandbox.requests.last?.id}`);
      await tab.activate('Send again');
      await shows(tab, 'StaticText: The request was sent again.');
      expect(sandbox.requests.last).toMatchObject({ path: '/v0/tokens', status: 200 });
      expect(sandbox.requests).toHaveLength(3);

      await tab.type('Path contains', 'transactions');
      const paths = "document.querySelector('table')?.innerText.match(/v0.\\w+/g)?.join()";
      await until(async () => (await tab.evaluate(paths)) === 'v0/transactions');
      await tab.type('Path contains', 'nowhere');
      await shows(tab, 'StaticText: None of these requests has this path.');
      await tab.activate('Clear');
      await shows(tab, 'StaticText: The list of requests is empty.');
      expect(sandbox.requests).toHaveLength(0);
    });

    it('are shown as one command for a shell', async () => {
      await client.create({ customer_uid: "O'Hara" });
      await tab.visit(`${sandbox.url}#/requests/${sandbox.requests.last?.id}`);
      await tab.evaluate(
        'navigator.clipboard.writeText = async (text) => { window.copied = text; };',
      );
      await tab.activate('Copy as curl, with its secrets');
      await shows(tab, 'StaticText: Copied, with the secrets of the request.');
      const command = String(await tab.evaluate('window.copied'));
      expect(command).toContain(`curl -i -X POST '${sandbox.url}/v0/transactions'`);
      expect(command).toContain(String.raw`"customer_uid":"O'\''Hara"`);
    });
  });
});
