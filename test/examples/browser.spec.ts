import { expect, it } from '@jest/globals';
import { migrate } from '../../examples/backend/database/migrations.js';
import { describeInBrowser } from '../support/browser/describe-in-browser.js';
import { PLATFORMS } from '../support/platforms.js';
import { sharedPglite } from '../support/servers.js';
import { startSandbox } from '../support/services.js';
import { startBackend } from './support/backend.js';

describeInBrowser('the example backend, for its customer', (openTab) => {
  it.each(PLATFORMS)(
    '%s: the page opens, a choice is submitted, and the status changes',
    async (platform) => {
      const sandbox = await startSandbox();
      const database = await sharedPglite();
      const query = database.query.bind(database) as Parameters<typeof startBackend>[0]['query'];
      await migrate({ query, location: '' });
      await database.query('DELETE FROM berbix_tokens');
      await database.query('DELETE FROM customer_verifications');
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
});
