import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { PLATFORMS } from '../support/platforms.js';
import { startSandboxOn } from '../support/services.js';
import { mainOf, wordsOf } from './support/pages.js';
import { RawClient } from './support/raw-client.js';

/** The limit for the script of the console, as the browser gets it from a server that compresses. */
const MAX_SCRIPT_BYTES = 60 * 1024;

describe.each(PLATFORMS)('the page at / on %s', (platform) => {
  it('is the console, and leads on where no script runs', async () => {
    const sandbox = await startSandboxOn(platform);
    const client = new RawClient(sandbox);
    sandbox.faults.add({ kind: 'status', status: 503 });
    const page = await client.send('GET', '/');
    expect(page.status).toBe(200);
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
    expect(page.headers['content-security-policy']).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    for (const tag of [
      '<html lang="en">',
      '<meta name="viewport" content="width=device-width, initial-scale=1" />',
      '<title>Berbix sandbox</title>',
      '<link rel="icon" href="data:," />',
    ]) {
      expect(page.text).toContain(tag);
    }
    expect(wordsOf(page)).toMatch(/^A local Berbix This is the sandbox of nestjs-berbix/);
    const links = [...mainOf(page).matchAll(/<a href="\.([^"]+)"/g)].map(([, link = '']) => link);
    expect(links).toEqual(['/verify', '/reference/openapi.json', '/sandbox']);
    for (const link of links) {
      expect([link, (await client.send('GET', link)).status]).toEqual([link, 200]);
    }
    // Whoever can open it learns no secret.
    expect(page.text).not.toMatch(/secret_|whs_|tpk_/);
    expect(sandbox.requests).toHaveLength(0);
    expect(sandbox.faults.pending).toHaveLength(1);
  });

  it('loads a small script and its style, and no other file', async () => {
    const client = new RawClient(await startSandboxOn(platform));
    const script = await client.send('GET', '/console/console.js');
    expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(script.text).toContain('Includes Preact. MIT License.');
    expect(gzipSync(script.text).length).toBeLessThan(MAX_SCRIPT_BYTES);
    const style = await client.send('GET', '/console/console.css');
    expect(style.headers['content-type']).toBe('text/css; charset=utf-8');
    expect(style.text).toContain('--accent');
    // Another version of the package may be at the same address tomorrow.
    for (const { headers } of [script, style]) expect(headers['cache-control']).toBe('no-store');
    for (const name of ['other.js', '..%2fesm%2findex.js', '__proto__', 'console.js.map']) {
      const { status } = await client.send('GET', `/console/${name}`);
      expect([name, status]).toEqual([name, 404]);
    }
  });
});
