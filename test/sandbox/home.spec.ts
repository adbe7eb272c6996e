import { describe, expect, it } from '@jest/globals';
import { PLATFORMS } from '../support/platforms.js';
import { startSandboxOn } from '../support/services.js';
import { expectPage, mainOf, wordsOf } from './support/pages.js';
import { RawClient } from './support/raw-client.js';

describe.each(PLATFORMS)('the page at / on %s', (platform) => {
  it('says what the sandbox is, and links to its other pages', async () => {
    const sandbox = await startSandboxOn(platform);
    const client = new RawClient(sandbox);
    sandbox.faults.add({ kind: 'status', status: 503 });
    const page = await client.send('GET', '/');
    expectPage(page, 200);
    expect(wordsOf(page)).toMatch(/^A local Berbix This is the sandbox of nestjs-berbix/);
    const links = [...mainOf(page).matchAll(/<a href="([^"]+)"/g)].map(([, link = '']) => link);
    expect(links).toEqual(['/verify', '/reference', '/sandbox']);
    for (const link of links) {
      expect([link, (await client.send('GET', link)).status]).toEqual([link, 200]);
    }
    // Whoever can open it learns no secret.
    expect(page.text).not.toMatch(/secret_|whs_|tpk_/);
    expect(sandbox.requests).toHaveLength(0);
    expect(sandbox.faults.pending).toHaveLength(1);
  });
});
