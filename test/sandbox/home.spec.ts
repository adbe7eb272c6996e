import { afterEach, describe, expect, it } from '@jest/globals';
import { expectPage, wordsOf } from './support/pages.js';
import { PLATFORMS, Sandboxes } from './support/platforms.js';
import { RawClient } from './support/raw-client.js';

const sandboxes = new Sandboxes();
afterEach(() => sandboxes.closeAll());

describe.each(PLATFORMS)('the page at / on %s', (platform) => {
  it('says what this is, and links to what there is', async () => {
    const sandbox = await sandboxes.start(platform);
    const client = new RawClient(sandbox);
    sandbox.faults.add({ kind: 'status', status: 503 });
    const page = await client.send('GET', '/');
    expectPage(page, 200);
    expect(wordsOf(page)).toMatch(/^A local Berbix This is the sandbox of nestjs-berbix/);
    const links = [...page.text.matchAll(/<a href="([^"]+)"/g)].map(([, link = '']) => link);
    // Under Jest @fastify/static is not there: see moduleNameMapper.
    const reference = { express: '/reference', fastify: '/reference/openapi.json' }[platform];
    expect(links).toEqual(['/verify', reference, '/sandbox']);
    const advice =
      'For a page with buttons that try each call: npm install --save-dev @fastify/static';
    expect(wordsOf(page).includes(advice)).toBe(platform === 'fastify');
    for (const link of links) {
      expect([link, (await client.send('GET', link)).status]).toEqual([link, 200]);
    }
    // Whoever can open it learns no secret.
    expect(page.text).not.toMatch(/secret_|whs_|tpk_/);
    expect(sandbox.requests).toHaveLength(0);
    expect(sandbox.faults.pending).toHaveLength(1);
  });
});
