import { afterEach } from '@jest/globals';
import { BerbixModule, type BerbixModuleOptions } from 'nestjs-berbix';
import type { BerbixSandbox, BerbixSandboxOptions } from 'nestjs-berbix/sandbox';
import { firstValueFrom } from 'rxjs';
import type { Customers } from '../../../examples/docs/customers.js';
import { changeEnvironment } from '../../support/environment.js';
import { servicesFor, startSandbox } from '../../support/services.js';

afterEach(changeEnvironment({}));

/** A sandbox, with environment variables that point to it. */
export async function sandboxOfEnvironment(options?: BerbixSandboxOptions): Promise<BerbixSandbox> {
  const sandbox = await startSandbox(options);
  process.env['BERBIX_API_SECRET'] = sandbox.apiSecret;
  process.env['BERBIX_API_HOST'] = sandbox.url;
  return sandbox;
}

/** The module for the account of a sandbox. */
export const berbixOf = (sandbox: BerbixSandbox, options?: Partial<BerbixModuleOptions>) =>
  BerbixModule.forRoot({ apiSecret: sandbox.apiSecret, apiHost: sandbox.url, ...options });

/** A customer who has begun, with only the refresh token in the application's table. */
export async function begun(sandbox: BerbixSandbox, customers: Customers): Promise<void> {
  const { transactions } = await servicesFor(sandbox);
  const { sdk: templateKey } = sandbox.templateKeys;
  const tokens = await firstValueFrom(transactions.create({ customerUid: 'ada', templateKey }));
  await customers.save('ada', tokens.refreshToken);
}
