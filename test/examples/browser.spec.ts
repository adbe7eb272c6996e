import { expect, it } from '@jest/globals';
import { migrate } from '../../examples/backend/database/migrations.js';
import { expectAccessible } from '../support/browser/accessibility.js';
import { describeInBrowser, PAGE_PLATFORMS } from '../support/browser/describe-in-browser.js';
import { sharedPglite } from '../support/servers.js';
import { startSandbox } from '../support/services.js';
import { created, startBackend } from './support/backend.js';

async function emptyDatabase() {
  const database = await sharedPglite();
  const query = database.query.bind(database) as Parameters<typeof startBackend>[0]['query'];
  await migrate({ query, location: '' });
  await database.query('DELETE FROM berbix_tokens');
  await database.query('DELETE FROM customer_verifications');
  return query;
}

describeInBrowser('the example backend, for its customer', (openTab) => {
  it.each(PAGE_PLATFORMS)(
    '%s: the page opens, a choice is submitted, and the status changes',
    async (platform) => {
      const sandbox = await startSandbox();
      const query = await emptyDatabase();
      const backend = await startBackend({ platform, sandbox, query });
      const { hostedUrl = '' } = (await backend.begin('ada')).body;
      const tab = await openTab();
      await tab.visit(hostedUrl);
      expect(await tab.outline()).toContain('StaticText: ada');

      await tab.press('Abandon for now');
      expect((await backend.status('ada')).body['status']).toBe('in_progress');
      await tab.press('Continue now');
      await tab.press('Reject');
      expect(await tab.outline()).toContain('heading: The verification is complete');
      await sandbox.webhooks.settled();
      expect((await backend.status('ada')).body['status']).toBe('rejected');
      expect(tab.complaints).toEqual([]);
      expect(new Set(tab.requests.map((url) => new URL(url).origin))).toEqual(
        new Set([sandbox.url]),
      );
    },
  );

  it.each(PAGE_PLATFORMS)(
    '%s: its own page frames the verification, shows the result, and offers another attempt',
    async (platform) => {
      const sandbox = await startSandbox();
      const query = await emptyDatabase();
      const backend = await startBackend({ platform, sandbox, query, kind: 'sdk', page: true });
      const tab = await openTab();
      await tab.resize(900, 1600);
      const shown = (text: string) =>
        tab.until((outline) => outline.some((line) => line.includes(text)));
      await tab.visit(backend.url);
      await expectAccessible(tab);
      await tab.activate('Sign in');
      await shown('StaticText: Your identity is not verified.');

      await tab.activate('Verify my identity');
      await tab.activate('What else can happen in the frame');
      await tab.activate('Fail');
      await shown('StaticText: Sorry, that did not work: The verification failed');
      await tab.resize(360, 800);
      await expectAccessible(tab);
      expect(await tab.evaluate('document.documentElement.scrollWidth')).toBe(360);
      await tab.resize(900, 1600);
      await tab.activate('Try again');
      await tab.activate('Reject');
      await shown('StaticText: Result: reject, JOHN DOE');
      await tab.activate('Verify again');
      await tab.activate('Accept');
      await shown('StaticText: Result: accept, JOHN DOE');
      expect(created(sandbox)).toBe(2);
      await sandbox.webhooks.settled();
      expect((await backend.status('ada')).body['status']).toBe('accepted');

      await tab.visit(backend.url);
      await shown('StaticText: Result: accept, JOHN DOE');
      await tab.activate('Sign out');
      await tab.activate('Sign in');
      await shown('StaticText: Result: accept, JOHN DOE');
      expect(tab.complaints).toEqual([]);
      expect(new Set(tab.requests.map((url) => new URL(url).origin))).toEqual(
        new Set([backend.url, sandbox.url]),
      );
    },
  );
});
