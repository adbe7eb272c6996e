import { createServer } from 'node:http';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { expectAccessible } from '../../support/browser/accessibility.js';
import { describeInBrowser, PAGE_PLATFORMS } from '../../support/browser/describe-in-browser.js';
import type { Tab } from '../../support/browser/tab.js';
import { listening, startSandboxOn } from '../../support/services.js';
import { until } from '../../support/until.js';
import { expectOnlyFrom, shows } from './support/console.js';

/** What it says of an attack that an application accepted. */
const ACCEPTED: Record<string, string> = {
  Late: 'The application accepted a webhook that was signed a day ago. Anybody who has recorded one can send it again: compare its time with the clock.',
  Forged:
    'The application accepted a webhook that was signed with another secret. Anybody can send it one: check the signature.',
  Unsigned:
    'The application accepted a webhook without a signature. Anybody can send it one: check the signature.',
};
const FINISHED = 'When the customer has finished';
const STATUS = 'When the action is determined or changed';

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
      const marked =
        "[...document.querySelectorAll('table [aria-current]')].map((it) => it.innerText)";
      expect(await tab.evaluate(marked)).toEqual(['finished']);
      const [delivery] = sandbox.webhooks.deliveries;
      const link = "document.querySelector('table a[aria-current]').hash";
      expect(await tab.evaluate(link)).toBe(`#/webhooks/${delivery?.id}`);
      const step = async (selector: string): Promise<string> =>
        String(await tab.evaluate(`document.querySelector('.steps ${selector}').innerText`));
      const [, seconds] = String(signatures[0]).split(',');
      expect(await step('li:nth-child(2) code')).toBe(seconds);
      // What is signed ends with a line break, which is easy to lose.
      expect(await step('li:nth-child(3) pre')).toMatch(/^\d+,\[redacted\],\{.*\}⏎$/s);
      await tab.activate('Show secrets');
      await tab.until((outline) => outline.some((line) => line.includes(secret)));
      expect(await shown()).toContain(String(signatures[0]).split(',')[2]);
      // Those of this webhook.
      const address = await tab.evaluate('location.hash');
      await tab.activate('Send a finished sample');
      await until(async () => (await tab.evaluate('location.hash')) !== address);
      await shows(tab, 'heading: finished delivered, 200');
      expect(await tab.evaluate("document.querySelector('[name=secrets]').checked")).toBe(false);
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
        const accepted = ACCEPTED[way];
        if (accepted === undefined) continue;
        await shows(tab, `heading: finished ${way.toLowerCase()} accepted with 200`);
        await shows(tab, `StaticText: ${accepted}`);
        expect(await tab.evaluate("document.querySelector('.panel h3 .badge-bad') !== null")).toBe(
          true,
        );
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
      const row = /^status unique-uid \d?\d:\d\d:\d\d( [AP]M)?\.\d{3} delivered, 200 1$/i;
      await until(async () => row.test(await textOf('tbody tr')), 20);
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

    it('say why they did not arrive, and how many attempts there were', async () => {
      sandbox.webhooks.setUrl('finished', 'http://127.0.0.1:1/');
      const { id } = await sandbox.webhooks.sendTest('finished');
      await tab.visit(`${sandbox.url}#/webhooks/${id}`);
      await shows(
        tab,
        'StaticText: Nothing listens at this address. Is the application running, and on this port?',
      );
      await sandbox.webhooks.settled();
      const { attempts } = [...sandbox.deliveries].at(-1) ?? {};
      expect(attempts).toBeGreaterThan(1);
      await until(async () =>
        (await textOf('tbody tr')).toLowerCase().endsWith(` failed: econnrefused ${attempts}`),
      );
      await until(async () =>
        (await textOf('.panel p + p, .panel h3 + p')).includes(`, ${attempts} attempts, first at `),
      );
      sandbox.webhooks.setUrl('finished', url);
      status = 500;
      const failed = await sandbox.webhooks.sendTest('finished');
      await tab.evaluate(`location.hash = '#/webhooks/${failed.id}'`);
      await shows(tab, 'StaticText: The application failed. Its log says why.');
    });

    it('tell what each answer usually means', async () => {
      sandbox.webhooks.setUrl('finished', url);
      const refused =
        'The application did not accept the signature. Does it have the webhook secret that the sandbox printed at its start?';
      await tab.visit(`${sandbox.url}#/webhooks`);
      for (const [code, advice] of [
        [
          400,
          'The application could not read the webhook. Does it see the raw body, as rawBody: true gives it?',
        ],
        [401, refused],
        [403, refused],
        [405, 'The application does not accept POST at this address.'],
        [413, 'The application has a limit for bodies that is too small.'],
        [503, 'The application failed. Its log says why.'],
      ] as const) {
        status = code;
        const { id } = await sandbox.webhooks.sendTest('finished');
        await tab.evaluate(`location.hash = '#/webhooks/${id}'`);
        await shows(tab, `heading: finished refused with ${code}`);
        expect([code, await textOf('.panel .warning')]).toEqual([code, advice]);
      }
      status = 418;
      const { id } = await sandbox.webhooks.sendTest('finished');
      await tab.evaluate(`location.hash = '#/webhooks/${id}'`);
      await shows(tab, 'heading: finished refused with 418');
      expect(await textOf('.panel .warning')).toBe('undefined');
    });

    it('say how they can be sent again, and how far they have got', async () => {
      sandbox.webhooks.setUrl('finished', url);
      const { id } = await sandbox.webhooks.sendTest('finished');
      await tab.visit(`${sandbox.url}#/webhooks/${id}`);
      await shows(tab, 'heading: finished delivered, 200');
      expect(await textOf('.panel h3 + p')).toMatch(/, one attempt, first at /);
      const titles =
        "[...document.querySelectorAll('.panel .actions button')].map((it) => it.innerText + ': ' + it.title)";
      expect(await tab.evaluate(titles)).toEqual([
        'Send again: Signed anew',
        'Late: Signed a day ago: an application must refuse it',
        'Forged: Signed with another secret: an application must refuse it',
        'Unsigned: Without a signature: an application must refuse it',
        'With the old secret: Accepted only while an application changes its secret',
        'Twice: An application must handle it once',
      ]);
      const seen = { status: null, delivered: false, problem: null };
      for (const [more, heading, told, advice] of [
        [{ attempts: 0, sent_at: null }, 'waiting', ', not attempted yet.', 'undefined'],
        [{ attempts: 1 }, 'no answer', ', one attempt, first at ', 'undefined'],
        [
          { attempts: 2, problem: 'ENOTFOUND' },
          'failed: ENOTFOUND',
          ', 2 attempts, first at ',
          'The name in the address is not known to this machine.',
        ],
        [
          { attempts: 2, problem: 'UND_ERR_CONNECT_TIMEOUT' },
          'failed: UND_ERR_CONNECT_TIMEOUT',
          ', 2 attempts, first at ',
          'The application did not answer in time.',
        ],
      ] as const) {
        await tab.evaluate(`{
          window.realFetch ??= window.fetch;
          window.fetch = async (...all) =>
            Response.json({ ...(await (await realFetch(...all)).json()), ...${JSON.stringify({ ...seen, ...more })} });
          location.hash = '#/webhooks';
        }`);
        await tab.until((outline) => !outline.includes('region: Webhook'));
        await tab.evaluate(`location.hash = '#/webhooks/${id}'`);
        await shows(tab, `heading: finished ${heading}`);
        expect(await textOf('.panel h3 + p')).toContain(told);
        expect(await textOf('.panel .warning')).toBe(advice);
      }
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
      await until(
        async () =>
          (await tab.evaluate("document.querySelector('.toolbar button').disabled")) === true,
      );
    });

    it('are the last 200, with a link to the others', async () => {
      sandbox.webhooks.setUrl('finished', url);
      const sent = await sandbox.webhooks.sendTest('finished');
      const happen = (count: number): void => {
        const delivery = { ...sent, id: `copy-${count}` };
        sandbox.deliveries.add(delivery);
        sandbox.deliveries.attempted(delivery);
      };
      for (let count = 0; count < 198; count += 1) happen(count);
      await tab.visit(`${sandbox.url}#/webhooks`);
      const rows = "document.querySelectorAll('tbody tr').length";
      await until(async () => (await tab.evaluate(rows)) === 199);
      expect(await textOf('.note')).toBe('undefined');
      for (let count = 198; count < 210; count += 1) happen(count);
      await until(async () => (await tab.evaluate(rows)) === 200);
      expect(await textOf('.note')).toBe('Only the last 200 are here. All that are kept, as JSON');
      expect(await tab.evaluate("document.querySelector('.note a').href")).toBe(
        `${sandbox.url}/sandbox/webhooks/deliveries`,
      );
      await tab.visit('about:blank');
      await tab.visit(`${sandbox.url}#/webhooks`);
      await until(async () => Number(await tab.evaluate(rows)) > 0);
      expect(await tab.evaluate(rows)).toBe(200);
    });
  });
});
