import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { expectAccessible } from '../support/browser/accessibility.js';
import { describeInBrowser, PAGE_PLATFORMS } from '../support/browser/describe-in-browser.js';
import type { Tab } from '../support/browser/tab.js';
import { listening, startSandboxOn } from '../support/services.js';
import { until } from '../support/until.js';
import { createHosted } from './support/pages.js';
import { RawClient } from './support/raw-client.js';

/** Where the user came from: another site, which sends the browser on once more. */
class Shop {
  readonly referrers: (string | undefined)[] = [];
  readonly #server: Server = createServer((request, response) => {
    this.referrers.push(request.headers.referer);
    if (request.url === '/done') return response.writeHead(302, { location: '/thanks' }).end();
    const frame = new URL(request.url ?? '', this.url).searchParams.get('frame');
    const listen =
      'window.told = []; onmessage = ({ data }) => window.told.push(JSON.parse(data));';
    const content =
      frame === null ? 'Thanks' : `<script>${listen}</script><iframe src="${frame}"></iframe>`;
    response.setHeader('content-type', 'text/html');
    return response.end(
      `<!DOCTYPE html><link rel="icon" href="data:,"><title>Shop</title>${content}`,
    );
  });

  async open(): Promise<void> {
    await listening(this.#server);
  }

  /** By a name, so that its origin is another one in every way. */
  get url(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`;
  }
}

describeInBrowser('the pages of the sandbox', (openTab) => {
  const shop = new Shop();

  beforeAll(() => shop.open());
  afterEach(() => {
    shop.referrers.length = 0;
  });

  /** Nothing in the console, nothing stopped, and nothing asked of anybody else. */
  function expectQuiet({ complaints, requests }: Tab, ...origins: string[]): void {
    expect(complaints).toEqual([]);
    expect(new Set(requests.map((url) => new URL(url).origin))).toEqual(new Set(origins));
    expect(requests.filter((url) => url.includes('favicon'))).toEqual([]);
  }

  describe.each(PAGE_PLATFORMS)('on %s', (platform) => {
    let sandbox: BerbixSandbox;
    let client: RawClient;

    beforeEach(async () => {
      sandbox = await startSandboxOn(platform);
      client = new RawClient(sandbox);
    });

    it.each([true, false])(
      'take a user to a result and back to the site, with JavaScript: %s',
      async (javaScript) => {
        const hostile = `<img src="http://localhost:1/x" onerror="alert(1)"> Ada`;
        const { page, accessToken } = await createHosted(
          client,
          { redirect_url: `${shop.url}/done` },
          { customer_uid: hostile },
        );
        const tab = await openTab({ javaScript });
        await tab.visit(sandbox.url + page);
        // The security policy allows the styles of the page.
        expect(await tab.style('main', 'max-width')).toBe('640px');
        // The ring is drawn around the face, not over it.
        expect(await tab.style('.ring', 'fill')).toBe('none');
        const outline = await tab.outline();
        expect(outline).toEqual(
          expect.arrayContaining([
            'RootWebArea: Identity verification - Berbix sandbox',
            'heading: Identity verification',
            'group: Choose the result',
            'button: Review',
            `StaticText: ${hostile}`,
          ]),
        );
        // The one for the flags is folded away.
        expect(outline.filter((line) => line.startsWith('button: '))).toHaveLength(4);

        await tab.press('Abandon for now');
        expect(await tab.outline()).toContain('heading: The verification is not complete');
        await tab.press('Continue now');
        expect((await client.fetch(accessToken)).json.action).toBe('');

        await tab.press('Review');
        expect(await tab.address()).toBe(`${shop.url}/thanks`);
        expect((await client.fetch(accessToken)).json.action).toBe('review');
        // The address of the page is a permission, and was told to nobody.
        expect(shop.referrers).toEqual([undefined, undefined]);
        expectQuiet(tab, sandbox.url, shop.url);
      },
    );

    it('are opened with a client token', async () => {
      const { json } = await client.create();
      const tab = await openTab();
      await tab.visit(`${sandbox.url}/verify`);
      await tab.type('Client token', String(json.client_token));
      await tab.press('Open');
      expect(await tab.address()).toMatch(new RegExp(`^${sandbox.url}/hosted/[0-9a-f]+$`));
      await tab.press('Accept');
      expect(await tab.outline()).toContain('StaticText: You may close this window.');
      expect((await client.fetch(json.access_token)).json.action).toBe('accept');
      expectQuiet(tab, sandbox.url);
    });

    it('are accessible in light and dark, wide and narrow', async () => {
      const { page } = await createHosted(client);
      const tab = await openTab();
      const { json } = await client.create();
      const frame = `/v0/verify?modal=2&client_token=${String(json.client_token)}`;
      for (const path of ['/', '/verify', '/hosted/x', frame, page]) {
        await tab.visit(sandbox.url + path);
        const colors: unknown[] = [];
        for (const scheme of ['light', 'dark'] as const) {
          await tab.prefer(scheme);
          colors.push(await tab.style('body', 'color'));
        }
        expect([path, ...colors]).toEqual([path, 'rgb(25, 28, 43)', 'rgb(233, 235, 245)']);
        for (const width of [1200, 360]) {
          await tab.resize(width, 800);
          await tab.evaluate(
            'document.querySelectorAll("details").forEach((d) => (d.open = true))',
          );
          await expectAccessible(tab);
          expect(await tab.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(
            width,
          );
        }
      }
      await tab.press('Let the flags decide');
      await expectAccessible(tab);
    });

    it('tell the page around the frame how high it is, and where it belongs in a window', async () => {
      const { json } = await client.create();
      const address = `${sandbox.url}/v0/verify?client_token=${String(json.client_token)}`;
      const tab = await openTab();
      await tab.resize(1280, 800);
      type Told = { type: string; payload: { height: number; margin?: number } };
      const told = async (): Promise<Told[]> => (await tab.evaluate('window.told')) as Told[];
      for (const [query, marginOf] of [
        ['', () => 0],
        ['&max_height=9000', () => 0],
        ['&modal=1&max_height=100', () => 0],
        ['&modal=1&max_height=9000', (height: number) => (9_000 - height) / 2],
      ] as const) {
        await tab.visit(`${shop.url}/?frame=${encodeURIComponent(address + query)}`);
        await until(async () => (await told()).length > 1);
        const [state, display] = await told();
        expect(state).toEqual({ type: 'STATE_CHANGE', payload: { state: 'open' } });
        const height = display?.payload.height ?? 0;
        expect(height).toBeGreaterThan(500);
        const margin = marginOf(height);
        expect(display).toEqual({ type: 'DISPLAY_IFRAME', payload: { height, margin } });
      }
      // The header is for pages that stand alone.
      expect(await tab.outline()).not.toContain('link: Berbix sandbox');
      for (let count = 3; count <= 4; count += 1) {
        await tab.activate('Raise flags');
        await until(async () => (await told()).length >= count);
      }
      const [, first, open, folded, ...others] = await told();
      expect(open?.payload.height).toBeGreaterThan(Number(first?.payload.height));
      expect(folded).toEqual({ type: 'RESIZE_IFRAME', payload: { height: first?.payload.height } });
      expect(others).toEqual([]);

      await tab.visit(address);
      expect(await tab.outline()).toContain('link: Berbix sandbox');
      expectQuiet(tab, sandbox.url, shop.url);
    });

    it('are not shown in a frame of another site', async () => {
      const { page } = await createHosted(client);
      const tab = await openTab();
      await tab.visit(`${shop.url}/?frame=${encodeURIComponent(sandbox.url + page)}`);
      expect(tab.complaints.join()).toContain('frame-ancestors');
      expect(await tab.outline()).not.toContain('heading: Identity verification');
    });
  });
});
