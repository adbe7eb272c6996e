import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { describeInBrowser } from '../support/browser/describe-in-browser.js';
import { listening, startSandbox } from '../support/services.js';
import { RawClient } from './support/raw-client.js';

/** All that a page can try without being asked; it says in its heading what it has read. */
function attack(target: string): string {
  return `<!DOCTYPE html><link rel="icon" href="data:,"><title>Elsewhere</title><h1>Trying</h1>
<iframe name="hole"></iframe><iframe id="control" src="${target}/sandbox/requests?secrets=1"></iframe>
<iframe id="home" src="${target}/"></iframe>
<form id="form" target="hole" method="post" enctype="text/plain" action="${target}/sandbox/clock">
  <input name='{"advance_ms":3600000,"x":"' value='"}'></form>
<script type="module">
  const read = [];
  const attempt = async (what, work) => {
    try { read.push(what + ':' + await work()); } catch { read.push(what + ':nothing'); }
  };
  const post = (path, body, options) => fetch('${target}' + path, { method: 'POST', body, ...options });
  const load = (name, path) => new Promise((resolve) => {
    const element = document.createElement(name);
    element.onload = () => resolve('loaded');
    element.onerror = () => resolve('nothing');
    element.src = '${target}' + path;
    document.body.append(element);
  });
  const text = { headers: { 'content-type': 'text/plain' } };
  const json = { headers: { 'content-type': 'application/json' } };
  const fault = JSON.stringify({ kind: 'answer', body: '<script>1', headers: { 'content-type': 'text/html' } });
  document.getElementById('form').submit();
  await attempt('blind', async () => (await post('/sandbox/faults', fault, { ...text, mode: 'no-cors' })).text());
  await attempt('encoded', async () => (await post('/%73andbox/faults', fault, { ...text, mode: 'no-cors' })).text());
  await attempt('text', async () => (await post('/sandbox/faults', fault, text)).status);
  await attempt('json', async () => (await post('/sandbox/faults', fault, json)).status);
  await attempt('api', async () => (await post('/v0/transactions', '{}', { ...text, mode: 'no-cors' })).text());
  for (const path of ['/sandbox/requests?secrets=1', '/', '/reference/openapi.json', '/sandbox/webhooks']) {
    await attempt('read ' + path, async () => (await fetch('${target}' + path)).text());
  }
  await attempt('image', () => load('img', '/sandbox/requests'));
  await attempt('script', () => load('script', '/reference/openapi.json'));
  for (const id of ['control', 'home']) {
    await attempt(id, async () => document.getElementById(id).contentWindow.document.body.textContent);
  }
  document.querySelector('h1').textContent = 'Done ' + read.join(', ');
</script>`;
}

describeInBrowser('a page of another site', (openTab) => {
  let sandbox: BerbixSandbox;
  const elsewhere: Server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(attack(sandbox.url));
  });

  beforeAll(() => listening(elsewhere));
  beforeEach(async () => {
    sandbox = await startSandbox();
  });

  it.each(['localhost', '127.0.0.1'])(
    'reads nothing and changes nothing, as %s with another port',
    async (name) => {
      await new RawClient(sandbox).create();
      const tab = await openTab();
      await tab.visit(`http://${name}:${(elsewhere.address() as AddressInfo).port}/`);
      const report = (outline: string[]) =>
        outline.find((line) => line.startsWith('heading: Done'));
      await tab.until((outline) => report(outline) !== undefined);
      const read =
        report(await tab.outline())
          ?.replace('heading: Done ', '')
          .split(', ') ?? [];
      expect(read).toHaveLength(13);
      // An opaque answer has no text.
      const empty = /:(nothing)?$/;
      expect(read.filter((line) => !empty.test(line))).toEqual([]);
      expect(sandbox.faults.pending).toEqual([]);
      expect(sandbox.requests).toHaveLength(1);
      expect(await sandbox.transactions.list()).toHaveLength(1);
      expect(Math.abs(sandbox.clock.now() - Date.now())).toBeLessThan(1_800_000);
    },
  );

  it('cannot run a script in the origin of the sandbox, not even with a fault', async () => {
    const script =
      '<h1>Harmless</h1><script>document.querySelector("h1").textContent = "Run"</script>';
    const headers = {
      'content-type': 'text/html',
      'content-security-policy': "default-src * 'unsafe-inline'",
    };
    sandbox.faults.add({ kind: 'answer', body: script, headers, path: '/v0/transactions' });
    const tab = await openTab();
    await tab.visit(`${sandbox.url}/v0/transactions`);
    expect(sandbox.faults.pending).toEqual([]);
    expect(await tab.outline()).toContain('heading: Harmless');
  });
});
