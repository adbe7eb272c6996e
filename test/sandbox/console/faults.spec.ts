import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { expectAccessible } from '../../support/browser/accessibility.js';
import { describeInBrowser, PAGE_PLATFORMS } from '../../support/browser/describe-in-browser.js';
import type { Tab } from '../../support/browser/tab.js';
import { startSandboxOn } from '../../support/services.js';
import { until } from '../../support/until.js';
import { RawClient } from '../support/raw-client.js';
import { expectOnlyFrom, holdRequests, shows } from './support/console.js';

const HOUR_MS = 3_600_000;

/** The presets, each with its faults. */
const PRESETS: [string, ...object[]][] = [
  ['An outage', { kind: 'status', status: 503, retryAfter: 30, forMs: HOUR_MS }],
  ['A slow afternoon', { kind: 'latency', ms: 2_000, forMs: 4 * HOUR_MS }],
  [
    'A lost exchange',
    { kind: 'reset', method: 'POST', path: '/v0/tokens', processed: true, times: 1 },
  ],
  [
    'A flaky hour',
    { kind: 'status', status: 503, probability: 0.2, seed: 1, forMs: HOUR_MS },
    { kind: 'reset', probability: 0.1, seed: 2, forMs: HOUR_MS },
  ],
];

describeInBrowser('the faults of the console', (openTab) => {
  describe.each(PAGE_PLATFORMS)('on %s', (platform) => {
    let sandbox: BerbixSandbox;
    let tab: Tab;

    beforeEach(async () => {
      sandbox = await startSandboxOn(platform);
      tab = await openTab();
      await tab.resize(1280, 800);
      await tab.visit(`${sandbox.url}#/faults`);
      await shows(tab, 'StaticText: No fault is pending: every request gets its real answer.');
    });

    it('are added by a form, used up by requests, and removed', async () => {
      await tab.type('Status', '429');
      const isValid = "document.querySelector('form').checkValidity()";
      await tab.type('Count', '0');
      expect(await tab.evaluate(isValid)).toBe(false);
      await tab.type('Count', '2');
      expect(await tab.evaluate(isValid)).toBe(true);
      const { untilHeld, release } = await holdRequests(tab, 'sandbox/faults');
      await tab.activate('Add');
      await untilHeld();
      // Nobody adds it twice.
      const disabled = "document.querySelector('form button').disabled";
      await until(async () => (await tab.evaluate(disabled)) === true);
      await release();
      await until(async () => (await tab.evaluate(disabled)) === false);
      await shows(tab, 'StaticText: Answer with an error (429), for POST /v0/tokens, 2 times.');
      await expectAccessible(tab);
      const { status } = await new RawClient(sandbox).refresh('rt_any');
      expect(status).toBe(429);
      await shows(tab, 'StaticText: Answer with an error (429), for POST /v0/tokens, once.');
      await tab.activate('Remove: Answer with an error (429), for POST /v0/tokens, once.');
      await shows(tab, 'StaticText: No fault is pending: every request gets its real answer.');
      expect(sandbox.faults.pending).toEqual([]);
      expectOnlyFrom(tab, sandbox.url);
    });

    it('have a probability and a seed', async () => {
      const processed = 'checkbox: Process the request first, and lose the answer';
      await tab.choose('What happens', 'Answer later');
      await tab.until((outline) => !outline.includes(processed));
      await tab.choose('What happens', 'Reset the connection');
      await shows(tab, processed);
      await tab.choose('Which requests', 'All of the API');
      await tab.choose('How often', 'With a probability');
      for (const [probability, isValid] of [
        ['0', false],
        ['1.1', false],
        ['1', true],
        ['0.25', true],
      ] as const) {
        await tab.type('Probability From 0 to 1', probability);
        const valid = await tab.evaluate("document.querySelector('form').checkValidity()");
        expect([probability, valid]).toEqual([probability, isValid]);
      }
      await tab.type('Seed The same seed hits the same requests.', '7');
      await tab.activate('Process the request first, and lose the answer');
      await tab.activate('Add');
      await until(() => sandbox.faults.pending.length > 0);
      expect(sandbox.faults.pending).toEqual([
        expect.objectContaining({ kind: 'reset', probability: 0.25, seed: 7, processed: true }),
      ]);
      for (const name of ['method', 'path']) {
        expect(sandbox.faults.pending[0]).not.toHaveProperty(name);
      }
      await expectAccessible(tab);
    });

    it('have numbers within the limits of their kind', async () => {
      await tab.choose('How often', 'With a probability');
      const limits = `[...document.querySelectorAll('form input[type=number]')].map(({ name, min, max }) => [name, Number(min), Number(max)])`;
      const probability = ['probability', 0.001, 1];
      const seed = ['seed', 0, 2 ** 32 - 1];
      for (const [title, ...own] of [
        ['Answer with an error', 'status', 400, 599],
        ['Answer later', 'ms', 0, 2 ** 31 - 1],
        ['Send the answer byte by byte', 'ms', 0, 2 ** 31 - 1],
        ['Send a very large answer', 'bytes', 0, Number.MAX_SAFE_INTEGER],
      ] as const) {
        await tab.choose('What happens', title);
        expect(await tab.evaluate(limits)).toEqual([own, probability, seed]);
      }
      await tab.choose('How often', 'The next few');
      expect(await tab.evaluate(limits)).toContainEqual(['times', 1, 1_000_000]);
    });

    it('are gone from the page when their time is over', async () => {
      sandbox.faults.add({ kind: 'hang', forMs: 3_600_000 });
      await tab.until((outline) => outline.some((line) => line.includes('Never answer, for any')));
      await tab.evaluate('{ const { now } = Date; Date.now = () => now() + 3_600_000; }');
      await shows(tab, 'StaticText: No fault is pending: every request gets its real answer.');
      expect(sandbox.faults.pending).toHaveLength(1);
    });

    it('come as presets, and are removed all at once', async () => {
      const presets = "[...document.querySelectorAll('h3 + .plain p')].map((it) => it.innerText)";
      expect(await tab.evaluate(presets)).toEqual([
        'A flaky hour\nOne request in five fails with 503, one in ten loses its connection.',
        'An outage\nEvery request gets 503 for an hour, with the advice to come back in 30 seconds.',
        'A slow afternoon\nEvery answer takes two seconds longer, for four hours.',
        'A lost exchange\nThe next exchange is processed, but its answer is lost: the worst moment for a token that is replaced.',
      ]);
      for (const [preset, ...faults] of PRESETS) {
        sandbox.faults.clear();
        await tab.activate(`Start: ${preset}`);
        await shows(tab, `StaticText: ${preset}: started.`);
        expect(sandbox.faults.pending).toEqual(
          faults.map((fault) => expect.objectContaining(fault)),
        );
      }
      await tab.activate('Remove all');
      await shows(tab, 'StaticText: No fault is pending.');
      expect(sandbox.faults.pending).toEqual([]);
    });

    it('are added of each kind, with its own number, until they are removed', async () => {
      const targets = "[...document.querySelector('[name=target]').options].map((it) => it.value)";
      expect(await tab.evaluate(targets)).toEqual([
        'POST /v0/tokens',
        '',
        ...['POST', 'GET', 'PATCH', 'DELETE'].map((method) => `${method} /v0/transactions`),
      ]);
      await tab.choose('How often', 'All, until it is removed');
      for (const [title, fault] of [
        ['Answer with an error', { kind: 'status', status: 503 }],
        ['Answer later', { kind: 'latency', ms: 2_000 }],
        ['Reset the connection', { kind: 'reset' }],
        ['Never answer', { kind: 'hang' }],
        ['Send half of the answer', { kind: 'truncate' }],
        ['Send the answer byte by byte', { kind: 'trickle', ms: 200 }],
        ['Answer with an HTML page, as a proxy would', { kind: 'html' }],
        ['Send a very large answer', { kind: 'flood', bytes: 100_000_000 }],
      ] as const) {
        const before = sandbox.faults.pending.length;
        await tab.choose('What happens', title);
        await tab.activate('Add');
        await until(() => sandbox.faults.pending.length > before);
        expect(sandbox.faults.pending.at(-1)).toMatchObject({
          ...fault,
          times: Infinity,
          method: 'POST',
          path: '/v0/tokens',
        });
      }
      await shows(
        tab,
        'StaticText: Send a very large answer (100000000 bytes), for POST /v0/tokens.',
      );
      // A number that was typed for one kind is not that of the next.
      await tab.choose('What happens', 'Answer with an error');
      const number = "document.querySelector('form input[type=number]').value";
      await tab.evaluate(`${number} = '500'`);
      await tab.choose('What happens', 'Answer later');
      await until(async () => (await tab.evaluate(number)) === '2000');
    });

    it('are told in words, and counted in every view', async () => {
      const view = 'document.querySelector(\'nav a[href="#/faults"]\').textContent';
      const counted = async (text: string): Promise<boolean> => (await tab.evaluate(view)) === text;
      expect(await counted('Faults')).toBe(true);
      sandbox.faults.add({ kind: 'latency', ms: 1_500, probability: 0.25, seed: 7 });
      await until(() => counted('Faults1 pending'));
      const button =
        "[...document.querySelectorAll('button')].some((it) => it.innerText === 'Remove all')";
      await shows(
        tab,
        'StaticText: Answer later (1500 ms), for any request, with a probability of 0.25 (seed 7).',
      );
      expect(await tab.evaluate(button)).toBe(false);
      const first = 'StaticText: The first one that fits a request applies to it.';
      expect(await tab.outline()).not.toContain(first);
      const [path, method] = ['/v0/transactions', 'PATCH'] as const;
      sandbox.faults.add({ kind: 'truncate', method, path, times: 3, processed: true });
      sandbox.faults.add({ kind: 'html', method, forMs: HOUR_MS });
      await shows(
        tab,
        'StaticText: Send half of the answer, for PATCH /v0/transactions, 3 times, after the request is processed.',
      );
      const timed = /: Answer with an HTML page, as a proxy would, for PATCH, until .*\d:\d\d.*\.$/;
      await tab.until((outline) => outline.some((line) => timed.test(line)));
      expect(await tab.evaluate(button)).toBe(true);
      await shows(tab, first);
      await tab.visit('about:blank');
      await tab.visit(`${sandbox.url}#/clock`);
      await until(() => counted('Faults3 pending'));
    });
  });
});
