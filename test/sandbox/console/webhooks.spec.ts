import { createServer } from 'node:http';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { expectAccessible } from '../../support/browser/accessibility.js';
import { describeInBrowser, PAGE_PLATFORMS } from '../../support/browser/describe-in-browser.js';
import type { Tab } from '../../support/browser/tab.js';
import { listening, startSandboxOn } from '../../support/services.js';
import { until } from '../../support/until.js';
import { expectOnlyFrom, shows } from './support/console.js';

const ACCEPTED =
  'The application accepted a webhook without a signature. Anybody can send it one: check the signature.';
const FINISHED = 'When the customer has finished';
const STATUS = 'When the status changes';

describeInBrowser('the webhooks of the console', (openTab) => {
  describe.each(PAGE_PLATFORMS)('on %s', (platform) => {
    let sandbox: BerbixSandbox;
    let tab: Tab;
    /** What the application answers. */
    let status: number;
    /** The signatures that it got. */
    let signatures: unknown[];
    let url: string;

    beforeEach(async () => {
      [status, signatures] = [200, []];
      const application = createServer((request, response) => {
        signatures.push(request.headers['x-berbix-signature']);
        request.resume().on('end', () => response.writeHead(status).end());
      });
      url = `${await listening(application)}/hook`;
      sandbox = await startSandboxOn(platform, { webhooks: { retryDelayMs: 1 } });
      tab = await openTab();
      await tab.resize(1280, 800);
    });

    it('get an address and a sample, and show how its signature is checked', async () => {
      await tab.visit(`${sandbox.url}#/webhooks`);
      await shows(tab, 'StaticText: No webhook yet. Set a URL above, and complete a transaction.');
      await tab.type(FINISHED, url);
      await tab.activate('Save');
      await shows(tab, 'StaticText: The URLs are saved.');
      expect(sandbox.webhooks.url('finished')).toBe(url);
      await tab.activate('Send a finished sample');
      await shows(tab, 'heading: finished delivered, 200');
      await expectAccessible(tab);
      const shown = async (): Promise<string> =>
        String(await tab.evaluate("document.querySelector('.steps').innerText"));
      const secret = sandbox.webhookSecrets.finished;
      expect(await shown()).not.toContain(secret);
      expect(await shown()).toContain('They are equal.');
      await tab.activate('Show secrets');
      await tab.until((outline) => outline.some((line) => line.includes(secret)));
      expect(await shown()).toContain(String(signatures[0]).split(',')[2]);
      expectOnlyFrom(tab, sandbox.url);
    });

    it('say that an application does not answer', async () => {
      const silent = await listening(createServer(() => undefined));
      const webhooks = { retryDelayMs: 1, timeoutMs: 1, finished: { url: silent } };
      const impatient = await startSandboxOn(platform, { webhooks });
      const { id, problem } = await impatient.webhooks.sendTest('finished');
      expect(problem).toBe('TimeoutError');
      await tab.visit(`${impatient.url}#/webhooks/${id}`);
      await shows(tab, 'StaticText: The application did not answer in time.');
    });

    it('say why one was refused, and are sent again in every good and bad way', async () => {
      sandbox.webhooks.setUrl('finished', url);
      status = 404;
      const { id } = await sandbox.webhooks.sendTest('finished');
      await tab.visit(`${sandbox.url}#/webhooks/${id}`);
      await shows(tab, 'heading: finished refused with 404');
      await shows(
        tab,
        'StaticText: The application has no route at this address. Check the path, and a global prefix.',
      );
      await expectAccessible(tab);
      [status, signatures] = [200, []];
      for (const way of ['Send again', 'Late', 'Forged', 'Unsigned', 'With the old secret']) {
        await tab.activate(way);
        await until(() => signatures.length > 0);
        const [signature] = signatures.splice(0);
        expect([way, signature === undefined]).toEqual([way, way === 'Unsigned']);
        if (way === 'Unsigned') await shows(tab, `StaticText: ${ACCEPTED}`);
      }
      await tab.activate('Twice');
      await until(() => signatures.length === 2);
      // The same is right of an application that looks.
      status = 401;
      await tab.activate('Forged');
      await shows(tab, 'heading: finished forged correctly refused with 401');
      // But not of one that breaks.
      status = 500;
      await tab.activate('Forged');
      await shows(tab, 'heading: finished forged refused with 500');
      await sandbox.webhooks.settled();
      await tab.activate('Close');
      await tab.activate('Clear');
      await shows(tab, 'StaticText: The list of deliveries is empty.');
      expect(sandbox.deliveries).toHaveLength(0);
      expectOnlyFrom(tab, sandbox.url);
    });

    const textOf = async (selector: string): Promise<string> =>
      String(await tab.evaluate(`document.querySelector('${selector}')?.innerText`))
        .replace(/\s+/g, ' ')
        .trim();

    it('have an address for each kind, which can be taken away again', async () => {
      await tab.visit(`${sandbox.url}#/webhooks`);
      const enabled =
        "[...document.querySelectorAll('.actions button:enabled')].map((it) => it.innerText).join()";
      await tab.type(STATUS, url);
      await tab.activate('Save');
      await until(async () => (await tab.evaluate(enabled)) === 'Send a status sample');
      await tab.activate('Send a status sample');
      await shows(tab, 'heading: status delivered, 200');
      await until(async () => /^status .* delivered, 200 1$/i.test(await textOf('tbody tr')), 20);
      await tab.visit('about:blank');
      await tab.visit(`${sandbox.url}#/webhooks`);
      // They are folded away as soon as there is one.
      await until(
        async () => (await tab.evaluate("document.querySelector('details')?.open")) === false,
      );
      await tab.activate('URLs');
      await tab.type(STATUS, '');
      await tab.activate('Save');
      await until(async () => (await tab.evaluate(enabled)) === '');
      expect(sandbox.webhooks.url('status')).toBeUndefined();
    });

    it('say why they did not arrive, and how often they were tried', async () => {
      sandbox.webhooks.setUrl('finished', 'http://127.0.0.1:1/');
      const { id } = await sandbox.webhooks.sendTest('finished');
      await tab.visit(`${sandbox.url}#/webhooks/${id}`);
      await shows(
        tab,
        'StaticText: Nothing listens at this address. Is the application running, and on this port?',
      );
      await sandbox.webhooks.settled();
      const { tries } = [...sandbox.deliveries].at(-1) ?? {};
      expect(tries).toBeGreaterThan(1);
      await until(async () =>
        (await textOf('tbody tr')).toLowerCase().endsWith(` failed: econnrefused ${tries}`),
      );
      await until(async () =>
        (await textOf('.panel p + p, .panel h3 + p')).includes(`, ${tries} tries, first at `),
      );
      sandbox.webhooks.setUrl('finished', url);
      status = 500;
      const failed = await sandbox.webhooks.sendTest('finished');
      await tab.evaluate(`location.hash = '#/webhooks/${failed.id}'`);
      await shows(tab, 'StaticText: The application failed. Its log says why.');
    });

    it('give no advice on an attack that was refused, and show how its signature differs', async () => {
      sandbox.webhooks.setUrl('finished', url);
      status = 401;
      for (const [fault, said] of [
        ['forged', ': they differ.'],
        ['unsigned', 'This webhook has no signature.'],
      ] as const) {
        sandbox.webhooks.failNext(fault);
        const { id } = await sandbox.webhooks.sendTest('finished');
        await tab.visit('about:blank');
        await tab.visit(`${sandbox.url}#/webhooks/${id}`);
        await shows(tab, `heading: finished ${fault} correctly refused with 401`);
        expect(await textOf('.panel')).toContain(said);
        expect(await tab.evaluate("document.querySelector('.panel .warning')")).toBeNull();
      }
    });

    it('are listed newest first, also after the page was loaded, until they are cleared', async () => {
      for (const kind of ['finished', 'status'] as const) {
        sandbox.webhooks.setUrl(kind, url);
        await sandbox.webhooks.sendTest(kind);
      }
      await tab.visit(`${sandbox.url}#/webhooks`);
      const kinds = "[...document.querySelectorAll('tbody a')].map((it) => it.innerText).join()";
      await until(async () => (await tab.evaluate(kinds)) === 'status,finished', 20);
      await tab.activate('Clear');
      await shows(tab, 'StaticText: No webhook yet. Set a URL above, and complete a transaction.');
      expect(sandbox.deliveries).toHaveLength(0);
    });
  });
});
