import { EventEmitter, once } from 'node:events';
import { createServer, request, type ServerResponse } from 'node:http';
import { expect, it } from '@jest/globals';
import { describeInBrowser } from '../../support/browser/describe-in-browser.js';
import { usualOrLong } from '../../support/long.js';
import { listening, startSandbox } from '../../support/services.js';
import { until } from '../../support/until.js';
import { RawClient } from '../support/raw-client.js';
import { expectOnlyFrom, holdLists, shows } from './support/console.js';

describeInBrowser('the console', (openTab) => {
  it('says that the sandbox is gone, and shows the next one at its address', async () => {
    const first = await startSandbox();
    const { id } = await first.transactions.create({ customerUid: 'ada' });
    const tab = await openTab();
    await tab.resize(1280, 800);
    await tab.visit(`${first.url}#/transactions/${id}`);
    await shows(tab, 'heading: ada open');
    await first.close();
    await shows(tab, 'StaticText: Not connected: waiting for the sandbox');
    // It asks in vain, and keeps what it has shown.
    const asked = (): number =>
      tab.requests.filter((url) => url === `${first.url}/sandbox/transactions/${id}`).length;
    await until(() => asked() > 1);
    await tab.evaluate('fetch("sandbox").catch(() => new Promise((go) => setTimeout(go, 150)))');
    expect(await tab.outline()).toContain('heading: ada open');
    const second = await startSandbox({ port: Number(new URL(first.url).port) });
    await shows(tab, 'StaticText: Connected');
    await shows(
      tab,
      'StaticText: The sandbox was started again. What it keeps from run to run is in the directory of --data.',
    );
    await shows(
      tab,
      'StaticText: There is no transaction yet. Create one above, or from your backend.',
    );
    await new RawClient(second).create({ customer_uid: 'grace' });
    await shows(tab, 'StaticText: grace');
    expect(await tab.outline()).not.toContain('StaticText: ada');
    expect(await tab.outline()).not.toContain('heading: ada open');
  });

  it('keeps what somebody types while the sandbox is started again', async () => {
    const first = await startSandbox();
    const tab = await openTab();
    await tab.visit(`${first.url}#/webhooks`);
    const field = 'When the customer has finished';
    const typed = 'http://localhost:3000/hook';
    await tab.type(field, typed);
    await first.close();
    await shows(tab, 'StaticText: Not connected: waiting for the sandbox');
    // It asks for nothing in vain, and does not complain.
    await tab.evaluate('fetch("sandbox").catch(() => new Promise((go) => setTimeout(go, 150)))');
    expect(await tab.evaluate("document.querySelector('.notice p')")).toBeNull();
    const second = await startSandbox({ port: Number(new URL(first.url).port) });
    await shows(tab, 'StaticText: Connected');
    await tab.activate('Save');
    await shows(tab, 'StaticText: The URLs are saved.');
    expect(second.webhooks.url('finished')).toBe(typed);
  });

  it('keeps no connection while it is hidden, and catches up afterwards', async () => {
    const sandbox = await startSandbox();
    const { id } = await sandbox.transactions.create({ customerUid: 'ada' });
    const tab = await openTab();
    const turn = (state: 'hidden' | 'visible'): Promise<unknown> =>
      tab.evaluate(
        `Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));`,
      );
    const connections = (): number =>
      tab.requests.filter((url) => url === `${sandbox.url}/sandbox/events`).length;
    await tab.resize(1280, 800);
    await tab.visit(`${sandbox.url}#/transactions/${id}`);
    await shows(tab, 'StaticText: Connected');
    await turn('hidden');
    await sandbox.transactions.complete(id);
    await sandbox.transactions.create({ customerUid: 'grace' });
    expect(connections()).toBe(1);
    await turn('visible');
    await shows(tab, 'StaticText: grace');
    await shows(tab, 'StaticText: Completed');
    expect(connections()).toBe(2);
    await tab.evaluate("location.hash = '#/faults'");
    await shows(tab, 'StaticText: No fault is pending: every request gets its real answer.');
    await turn('hidden');
    sandbox.faults.add({ kind: 'hang' });
    await turn('visible');
    await shows(tab, 'StaticText: Never answer, for any request, once.');
    await tab.evaluate(`{
      const { close } = EventSource.prototype;
      EventSource.prototype.close = function () { close.call(this); window.stream = this; };
    }`);
    await turn('hidden');
    expect(await tab.evaluate('window.stream?.readyState')).toBe(2);
  });

  it('misses nothing that happens while its lists load', async () => {
    const sandbox = await startSandbox();
    const client = new RawClient(sandbox);
    // The list is from before the request, and arrives after the event that tells of it.
    const told = new EventEmitter();
    const proxy = createServer((asked, answer) => {
      const { method, headers } = asked;
      const forward = request(sandbox.url + asked.url, { method, headers }, async (from) => {
        if (asked.url === '/sandbox/requests?summary=1') {
          told.emit('list');
          await once(told, 'event');
          answer.once('finish', () => told.emit('answer'));
        }
        answer.writeHead(from.statusCode ?? 0, from.headers);
        from.pipe(answer);
        from.on('data', (data: Buffer) => {
          if (data.includes('event: request')) told.emit('event');
        });
      });
      asked.pipe(forward);
      answer.once('close', () => forward.destroy());
    });
    const url = await listening(proxy);
    const [isAsked, isAnswered] = [once(told, 'list'), once(told, 'answer')];
    const tab = await openTab();
    await tab.visit(`${url}#/requests`);
    await isAsked;
    await client.create({ customer_uid: 'ada' });
    await isAnswered;
    await client.create({ customer_uid: 'grace' });
    const rows = "document.querySelectorAll('tbody tr').length";
    await until(async () => (await tab.evaluate(rows)) === 2);
    expect(sandbox.requests).toHaveLength(2);
  });

  it('says of no list that it is empty until the sandbox has answered', async () => {
    const { url, release } = await holdLists(await startSandbox());
    const tab = await openTab();
    await tab.visit(url);
    const texts =
      "[...document.querySelectorAll('main :is(.empty, h3)')].map((it) => it.innerText).join()";
    const empty = {
      Transactions: 'There is no transaction yet.+Connect your backend',
      Requests: 'No request yet.+',
      Webhooks: 'Deliveries,No webhook yet.+',
      Faults: 'Pending,No fault is pending.+,Presets,Add a fault',
    };
    const expectTexts = async (expected: string): Promise<void> => {
      const line = new RegExp(`^${expected}$`);
      await until(async () => line.test(String(await tab.evaluate(texts))));
      expect(await tab.evaluate(texts)).toMatch(line);
    };
    for (const [view, text] of Object.entries(empty)) {
      await tab.activate(view);
      await shows(tab, `heading: ${view}`);
      await expectTexts(text.replace(/(There|No) .*\+(Connect.*)?/, 'Loading'));
    }
    release();
    for (const [view, text] of Object.entries(empty).toReversed()) {
      await tab.activate(view);
      await expectTexts(text);
    }
  });

  it('shows its lists as they were loaded last, even if earlier ones come later', async () => {
    const sandbox = await startSandbox();
    const client = new RawClient(sandbox);
    await client.refresh('rt_nonsense');
    const tab = await openTab();
    await tab.visit(`${sandbox.url}#/requests`);
    const links = async (): Promise<string> =>
      String(
        await tab.evaluate(
          "[...document.querySelectorAll('tbody a')].map((it) => it.innerText).join()",
        ),
      );
    await until(async () => (await links()) === 'POST /v0/tokens');
    // The answer to the first question is from before the reset, and arrives after it.
    await tab.evaluate(`{
      const { fetch } = window;
      window.fetch = async (address, options) => {
        const answer = await fetch(address, options);
        if (address.includes('requests?') && !window.release) {
          await new Promise((resolve) => (window.release = resolve));
        }
        return answer;
      };
      document.dispatchEvent(new Event('visibilitychange'));
    }`);
    await until(async () => (await tab.evaluate("typeof window.release === 'function'")) === true);
    await sandbox.reset();
    await tab.until((outline) => outline.some((line) => line.includes('No request yet.')));
    await client.create();
    await tab.evaluate('window.release()');
    await until(async () => (await links()) !== '');
    expect(await links()).toBe('POST /v0/transactions');
  });

  it('resumes a stream that broke off, and ignores events that it does not know', async () => {
    const sandbox = await startSandbox();
    const client = new RawClient(sandbox);
    let lists = 0;
    const streams: ServerResponse[] = [];
    const proxy = createServer((asked, answer) => {
      const { method, headers } = asked;
      if (asked.url?.startsWith('/sandbox/requests')) lists += 1;
      const forward = request(sandbox.url + asked.url, { method, headers }, (from) => {
        answer.writeHead(from.statusCode ?? 0, from.headers);
        if (asked.url === '/sandbox/events') {
          streams.push(answer);
          answer.write('retry: 20\nevent: weather\ndata: {"sun":true}\n\n');
        }
        from.pipe(answer);
      });
      asked.pipe(forward);
      answer.once('close', () => forward.destroy());
    });
    const url = await listening(proxy);
    const tab = await openTab();
    await tab.visit(`${url}#/requests`);
    await client.create({ customer_uid: 'ada' });
    const rows = "document.querySelectorAll('tbody tr').length";
    await until(async () => (await tab.evaluate(rows)) === 1);
    streams[0]?.destroy();
    await client.create({ customer_uid: 'grace' });
    await until(async () => (await tab.evaluate(rows)) === 2, 20);
    expect(streams).toHaveLength(2);
    // The second request came with the stream, not with another list.
    expect(lists).toBe(1);
  });

  it('lists the latest of many transactions and requests', async () => {
    const [hundreds, requests] = usualOrLong([10, 250], [100, 1_000]);
    const sandbox = await startSandbox();
    const client = new RawClient(sandbox);
    for (let count = 0; count < hundreds; count++) {
      await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          sandbox.transactions.create({ customerUid: `customer-${count}-${index}` }),
        ),
      );
    }
    const tab = await openTab();
    await tab.visit(sandbox.url);
    await shows(tab, `StaticText: customer-${hundreds - 1}-99`);
    const rows = "document.querySelectorAll('tbody tr').length";
    for (let shown = 100; shown < 1_000; shown += 100) {
      await until(async () => (await tab.evaluate(rows)) === shown);
      await tab.activate('Show more');
    }
    const note = "document.querySelector('.note')?.innerText";
    const full = 'Only the last 1000 are here. Filter by customer or state to find an older one.';
    await until(async () => (await tab.evaluate(note)) === full);
    // An outline of a thousand rows takes seconds.
    const buttons =
      "[...document.querySelectorAll('main button')].map((it) => it.innerText).join()";
    expect(await tab.evaluate(buttons)).not.toContain('Show more');
    for (let count = 0; count < requests; count++) await client.refresh('rt_nonsense');
    await tab.activate('Requests');
    await until(async () => (await tab.evaluate(rows)) === 200);
    await shows(tab, 'StaticText: Only the last 200 are here.');
    const rest = "document.querySelector('.note a').href";
    expect(await tab.evaluate(rest)).toBe(`${sandbox.url}/sandbox/requests`);
    expectOnlyFrom(tab, sandbox.url);
  });

  it('connects again after an answer that is no stream, unless it is hidden by then', async () => {
    const sandbox = await startSandbox();
    const streams: ServerResponse[] = [];
    const statuses = [200, 502, 502, 200];
    const proxy = createServer((asked, answer) => {
      const isStream = asked.url === '/sandbox/events';
      if (isStream) streams.push(answer);
      if (isStream && statuses[streams.length - 1] === 502) return answer.writeHead(502).end();
      const { method, headers } = asked;
      const forward = request(sandbox.url + asked.url, { method, headers }, (from) => {
        answer.writeHead(from.statusCode ?? 0, from.headers);
        if (isStream) answer.write('retry: 1\n\n');
        from.pipe(answer);
      });
      asked.pipe(forward);
      answer.once('close', () => forward.destroy());
      return undefined;
    });
    const tab = await openTab();
    await tab.visit(await listening(proxy));
    await shows(tab, 'StaticText: Connected');
    // It waits as long as the test likes.
    await tab.evaluate(`{
      const { setTimeout, clearTimeout } = window;
      window.setTimeout = (work, ms, ...rest) =>
        ms === 2_000 ? ((window.again = work), -1) : setTimeout(work, ms, ...rest);
      window.clearTimeout = (id) => (id === -1 ? delete window.again : clearTimeout(id));
    }`);
    const isWaiting = async (): Promise<boolean> =>
      (await tab.evaluate("typeof window.again === 'function'")) === true;
    const turn = (state: string): Promise<unknown> =>
      tab.evaluate(
        `Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));`,
      );
    streams[0]?.destroy();
    await until(isWaiting);
    await shows(tab, 'StaticText: Not connected: waiting for the sandbox');
    await turn('hidden');
    expect(await isWaiting()).toBe(false);
    await turn('visible');
    await until(isWaiting);
    expect(streams).toHaveLength(3);
    await tab.evaluate('window.again()');
    await shows(tab, 'StaticText: Connected');
    expect(streams).toHaveLength(4);
  });

  it('tells why its lists cannot be loaded, unless nobody answers', async () => {
    const sandbox = await startSandbox();
    const tab = await openTab();
    await tab.visit(sandbox.url);
    await shows(tab, 'StaticText: Connected');
    await tab.evaluate(`window.asked = 0; window.fetch = () => {
      window.asked += 1;
      return Promise.reject(new TypeError());
    }`);
    await sandbox.reset();
    await until(async () => Number(await tab.evaluate('window.asked')) >= 3);
    // What the page told would be there with the next round of its views.
    await tab.evaluate('new Promise((resolve) => setTimeout(resolve, 150))');
    expect(await tab.evaluate("document.querySelector('.notice p')")).toBeNull();
    await tab.evaluate(
      `window.fetch = async () => new Response('{"message":"It is broken."}', { status: 500 })`,
    );
    await sandbox.reset();
    await shows(tab, 'StaticText: It is broken.');
    await tab.shows('alert: ');
  });

  it('opens each view as a new page, at its address', async () => {
    const sandbox = await startSandbox();
    const tab = await openTab();
    await tab.visit(`${sandbox.url}#/nowhere`);
    await shows(tab, 'heading: Transactions');
    // The focus moves when another view opens, not when the page does.
    expect(await tab.evaluate('document.activeElement.tagName')).toBe('BODY');
    const links = (where: string): string =>
      `[...document.querySelectorAll('${where} a')].map((it) => it.getAttribute('href')).join(' ')`;
    expect(await tab.evaluate(links('nav'))).toBe(
      '#/transactions #/requests #/webhooks #/faults #/clock reference verify',
    );
    expect(await tab.evaluate(links('header'))).toBe('#/transactions #/clock');
    // There is nothing to tell: the clock shows the real time, and nothing has happened.
    await shows(tab, 'StaticText: Connected');
    for (const selector of ['.clock .badge', '.notice p']) {
      expect(await tab.evaluate(`document.querySelector('${selector}')`)).toBeNull();
    }
    const live = "document.querySelector('.connection').getAttribute('role')";
    expect(await tab.evaluate(live)).toBe('status');
    const current =
      "[...document.querySelectorAll('nav [aria-current=page]')].map((it) => it.innerText).join()";
    for (const view of ['Requests', 'Webhooks', 'Faults', 'Clock and state', 'Transactions']) {
      await tab.activate(view);
      const title = `${view} - Berbix sandbox`;
      await until(async () => (await tab.evaluate('document.title')) === title);
      expect(await tab.focused()).toBe(view);
      expect(await tab.evaluate(current)).toBe(view);
    }
    await tab.activate('Skip to the content');
    expect(await tab.evaluate('document.activeElement.tagName')).toBe('MAIN');
    await tab.evaluate("location.hash = '#/transactions/%E0%A4%A'");
    await tab.until((outline) =>
      outline.some((line) => line.startsWith('StaticText: The sandbox has no transaction')),
    );
  });
});
