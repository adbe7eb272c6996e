import { BerbixVerificationService, type BerbixModuleOptions } from 'nestjs-berbix';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { firstValueFrom } from 'rxjs';
import { createTransaction, servicesFor, type Services } from '../../support/services.js';

export interface Replica extends Services {
  verifications: BerbixVerificationService;
}

/** A replica of an application that verifies customers of the sandbox. */
export async function replica(
  sandbox: BerbixSandbox,
  options: Partial<BerbixModuleOptions>,
): Promise<Replica> {
  const services = await servicesFor(sandbox, options);
  return { ...services, verifications: services.module.get(BerbixVerificationService) };
}

/** How many transactions were created. */
export function creations(sandbox: BerbixSandbox): number {
  return sandbox.requests.to('POST', '/v0/transactions').length;
}

/** How many deletions were requested. */
export function deletions(sandbox: BerbixSandbox): number {
  return sandbox.requests.to('DELETE', '/v0/transactions').length;
}

/** Remembers a transaction of `ada` that was created elsewhere; returns its id. */
export async function handOver(sandbox: BerbixSandbox, services: Replica): Promise<string> {
  const tokens = await createTransaction(sandbox, services);
  await firstValueFrom(services.tokens.remember({ customerUid: 'ada', tokens }));
  return tokens.transactionId as string;
}

/** What the calls of a dead process wait for, until the test resumes them to close it. */
export function suspended(): { resumed: Promise<void>; resume: () => void } {
  let resume = (): void => {};
  const resumed = new Promise<void>((resolve) => (resume = resolve));
  return { resumed, resume };
}

/** Holds back a replica's calls of one method on transactions until they are released. */
export function holdBack(method: 'post' | 'delete') {
  let arrive = (): void => {};
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  let [letGo, held] = [(): void => {}, 0];
  const released = new Promise<void>((resolve) => (letGo = resolve));
  const http: BerbixModuleOptions['http'] = {
    configureAxios: (axios) =>
      void axios.interceptors.request.use(async (config) => {
        if (config.method === method && config.url?.endsWith('/v0/transactions')) {
          held++;
          arrive();
          await released;
        }
        return config;
      }),
  };
  return { http, arrived, letGo, held: () => held };
}
