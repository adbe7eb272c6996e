import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { bundleForBrowser } from '../support/browser/bundle.js';
import { describeInBrowser, PAGE_PLATFORMS } from '../support/browser/describe-in-browser.js';
import type { Tab } from '../support/browser/tab.js';
import { listening, startSandboxOn } from '../support/services.js';
import { until } from '../support/until.js';
import { RawClient } from './support/raw-client.js';

const PAGE = `<!DOCTYPE html><html lang="en"><link rel="icon" href="data:,"><title>Shop</title>
<h1>Shop</h1><ul id="log"></ul><div id="verification"></div><script type="module" src="/shop.js"></script>`;

describeInBrowser('berbix-react, unmodified', (openTab) => {
  let script = '';
  const shop: Server = createServer((request, response) => {
    const isScript = request.url === '/shop.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : PAGE);
  });

  beforeAll(async () => {
    script = await bundleForBrowser('test/sandbox/support/react-shop.js');
    await listening(shop);
  });

  describe.each(PAGE_PLATFORMS)('with the sandbox on %s', (platform) => {
    let sandbox: BerbixSandbox;
    let client: RawClient;

    beforeEach(async () => {
      sandbox = await startSandboxOn(platform);
      client = new RawClient(sandbox);
    });

    /** By a name, so that the frame is of another site. */
    const shopUrl = () => `http://localhost:${(shop.address() as AddressInfo).port}`;

    async function visit(token: unknown, more: Record<string, string> = {}): Promise<Tab> {
      const query = new URLSearchParams({ base: sandbox.url, token: String(token), ...more });
      const tab = await openTab();
      await tab.resize(800, 1600);
      await tab.visit(`${shopUrl()}/?${query.toString()}`);
      return tab;
    }

    const logged = (tab: Tab, text: string) =>
      tab.until((outline) => outline.some((line) => line.startsWith(`StaticText: ${text}`)));

    const heightOf = async (tab: Tab) =>
      Number(await tab.evaluate('document.querySelector("iframe").offsetHeight'));

    function expectQuiet({ complaints, requests }: Tab): void {
      expect(complaints).toEqual([]);
      expect(new Set(requests.map((url) => new URL(url).origin))).toEqual(
        new Set([shopUrl(), sandbox.url]),
      );
    }

    it('shows the frame, sizes it, and learns that the verification is complete', async () => {
      const { json } = await client.create();
      const tab = await visit(json.client_token);
      await logged(tab, 'displayed');
      await logged(tab, 'state open');
      const height = await heightOf(tab);
      expect(height).toBeGreaterThan(500);
      await tab.activate('Raise flags');
      await until(async () => (await heightOf(tab)) > height + 100);

      await tab.activate('Reject');
      await logged(tab, 'complete');
      expect(await tab.evaluate('document.querySelector("iframe")')).toBe(null);
      expect((await client.fetch(json.access_token)).json.action).toBe('reject');
      expectQuiet(tab);
    });

    it('learns that the client token has expired', async () => {
      const { json } = await client.create();
      sandbox.clock.advance(3_600_000);
      const tab = await visit(json.client_token);
      await logged(tab, 'error {"code":401,"readable":"invalid_client_token"');
      expect(await heightOf(tab)).toBe(200);
      expect(await tab.outline()).toContain('heading: The client token is not accepted');
    });

    it('can load the frame again, close it, and be told that the verification failed', async () => {
      const { json } = await client.create();
      const tab = await visit(json.client_token, { modal: '' });
      await logged(tab, 'displayed');
      const loads = () => tab.requests.filter((url) => url.includes('/v0/verify')).length;
      expect(loads()).toBe(1);
      await tab.activate('Close');
      await logged(tab, 'closed');
      await tab.activate('What else can happen in the frame');
      await tab.activate('Load it again');
      await until(() => loads() === 2);
      await tab.activate('What else can happen in the frame');
      await tab.activate('Fail');
      await logged(tab, 'error {"type":"VERIFICATION_COMPLETE","payload":{"success":false}}');
      expect((await client.fetch(json.access_token)).json.action).toBe('');
      expectQuiet(tab);
    });
  });
});
