import { describe, expect, it } from '@jest/globals';
import { startSandbox } from '../support/services.js';
import { HookServer, status } from './support/hook-server.js';

describe('the attempts of a webhook', () => {
  it('keep the time of the first one, and all of the URL', async () => {
    const server = await HookServer.start();
    const url = `${server.url}?shop=1&key=a%20b`;
    const sandbox = await startSandbox({ webhooks: { status: { url }, retryDelayMs: 1 } });
    sandbox.clock.set(Date.UTC(2030, 0, 1));
    server.answers.push((response) => {
      sandbox.clock.set(Date.UTC(2031, 0, 1));
      status(503)(response);
    });
    const { attempts, sentAt } = await sandbox.webhooks.sendTest('status');
    expect([attempts, sentAt?.getUTCFullYear()]).toEqual([2, 2030]);
    const path = '/hook?shop=1&key=a%20b';
    expect(server.hooks.map((hook) => hook.path)).toEqual([path, path]);
  });
});
