import { describe, expect, it } from '@jest/globals';
import { firstValueFrom } from 'rxjs';
import { errorOf } from '../support/errors.js';
import { createTransaction, servicesFor, startSandbox } from '../support/services.js';
import { quietNest } from '../support/sinks.js';

quietNest();

describe('the retry of an exchange whose answer was lost', () => {
  it('is made while the API is not known to replace refresh tokens', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox, { retry: 2 });
    const created = await createTransaction(sandbox, services);
    sandbox.requests.clear();
    sandbox.faults.add({ kind: 'reset', processed: true });
    const tokens = await firstValueFrom(services.tokens.refresh(created));
    expect(tokens.refreshToken).toBe(created.refreshToken);
    expect(sandbox.requests.length).toBe(2);
  });

  it('is not made after the API has replaced one, since it would look like theft', async () => {
    const sandbox = await startSandbox({ refreshToken: 'rotate' });
    const services = await servicesFor(sandbox, { retry: 2 });
    const created = await createTransaction(sandbox, services);
    const once = await firstValueFrom(services.tokens.refresh(created));
    sandbox.requests.clear();
    sandbox.faults.add({ kind: 'truncate', processed: true });
    expect(await errorOf(services.tokens.refresh(once))).toMatchObject({
      code: 'BERBIX_CONNECTION',
    });
    expect(sandbox.requests.length).toBe(1);
  });

  it('is not made either if it was replaced in an answer that is unusable otherwise', async () => {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox, { retry: 2 });
    const created = await createTransaction(sandbox, services);
    sandbox.faults.add({ kind: 'answer', body: { refresh_token: 'rt_other' } });
    await errorOf(services.tokens.refresh(created));
    sandbox.requests.clear();
    sandbox.faults.add({ kind: 'truncate', processed: true });
    expect(await errorOf(services.tokens.refresh(created))).toMatchObject({
      code: 'BERBIX_CONNECTION',
    });
    expect(sandbox.requests.length).toBe(1);
  });

  it('is still made then if the API cannot have acted on the first request', async () => {
    const sandbox = await startSandbox({ refreshToken: 'rotate' });
    const services = await servicesFor(sandbox, { retry: 2 });
    const created = await createTransaction(sandbox, services);
    const once = await firstValueFrom(services.tokens.refresh(created));
    sandbox.faults.add({ kind: 'status', status: 429 });
    const twice = await firstValueFrom(services.tokens.refresh(once));
    expect(twice.refreshToken).not.toBe(once.refreshToken);
  });
});
