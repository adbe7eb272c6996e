import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { migrate } from '../../examples/backend/database/migrations.js';
import { Browser, findChromium } from '../sandbox/support/browser.js';
import { bePatient } from '../sandbox/support/patience.js';
import { PLATFORMS } from '../support/platforms.js';
import { sharedPglite } from '../support/servers.js';
import { startSandbox } from '../support/services.js';
import { startBackend } from './backend.support.js';

bePatient();

const path = findChromium();
if (path === undefined) {
  const sentence = 'No Chromium on the PATH nor in CHROMIUM_PATH';
  if (process.env.CI === 'true') throw new Error(`${sentence}, which CI must have.`);
  process.stderr.write(`${sentence}: the example is not tried in a browser.\n`);
}
const describeWithBrowser = path === undefined ? describe.skip : describe;

describeWithBrowser('The example backend, its customer in Chromium', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await Browser.start(path ?? '');
  });
  afterAll(() => browser?.close());

  it.each(PLATFORMS)('%s: open the page, choose, see the status change', async (_, adapter) => {
    const sandbox = await startSandbox();
    const database = await sharedPglite();
    const query = database.query.bind(database) as Parameters<typeof startBackend>[0]['query'];
    await migrate({ query, location: '' });
    await database.query('DELETE FROM berbix_tokens');
    await database.query('DELETE FROM customer_verifications');
    const backend = await startBackend({ adapter, sandbox, query });
    const { hostedUrl = '' } = (await backend.begin('ada')).body;
    const tab = await browser.open();
    await tab.visit(hostedUrl);
    expect(await tab.outline()).toContain('StaticText: ada');

    await tab.press('Abandon it for now');
    expect((await backend.status('ada')).body['status']).toBe('in_progress');
    await tab.press('Go on now');
    await tab.press('Complete it: reject');
    expect(await tab.outline()).toContain('heading: The verification is complete');
    await sandbox.webhooks.settled();
    expect((await backend.status('ada')).body['status']).toBe('rejected');
    expect(tab.complaints).toEqual([]);
    expect(new Set(tab.requests.map((url) => new URL(url).origin))).toEqual(new Set([sandbox.url]));
  });
});
