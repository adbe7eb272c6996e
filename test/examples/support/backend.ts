import { randomBytes } from 'node:crypto';
import { Test } from '@nestjs/testing';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { AppModule } from '../../../examples/backend/app.module.js';
import { DemoModule } from '../../../examples/backend/demo/demo.module.js';
import { Database } from '../../../examples/backend/database/database.js';
import { closeAfterTest } from '../../support/closing.js';
import { changeEnvironment } from '../../support/environment.js';
import { adapterFor, type Platform } from '../../support/platforms.js';

/** An answer of the backend. */
export interface Answer {
  status: number;
  headers: Headers;
  /** The unparsed answer, to search it for secrets. */
  text: string;
  body: Record<string, string>;
}

/** A running instance of the example backend. */
export interface Backend {
  url: string;
  begin(customer?: string, query?: string): Promise<Answer>;
  again(customer?: string): Promise<Answer>;
  status(customer?: string): Promise<Answer>;
  result(customer?: string): Promise<Answer>;
  erase(customer?: string): Promise<Answer>;
}

/** The settings of an instance. */
export interface BackendSettings {
  platform: Platform;
  sandbox: BerbixSandbox;
  query: Database['query'];
  kind?: 'sdk' | 'hosted';
  environment?: Record<string, string>;
  /** With the page of the demo. */
  page?: boolean;
}

const KEYS = `test:${randomBytes(32).toString('base64')}`;

/** Starts an instance for one test, on a shared database. The sandbox sends its webhooks to it. */
export async function startBackend(settings: BackendSettings): Promise<Backend> {
  const { platform, sandbox, query, kind = 'hosted', environment, page = false } = settings;
  const restoreEnvironment = changeEnvironment({ ...accountOf(sandbox, kind), ...environment });
  const module = await Test.createTestingModule({ imports: [page ? DemoModule : AppModule] })
    .overrideProvider(Database)
    .useValue({ location: 'shared', query })
    .compile()
    .finally(restoreEnvironment);
  const app = module.createNestApplication(adapterFor(platform), {
    logger: false,
    rawBody: true,
  });
  closeAfterTest(() => app.close());
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  sandbox.webhooks.setUrl('finished', `${url}/webhooks/berbix/finished`);
  sandbox.webhooks.setUrl('status', `${url}/webhooks/berbix/status`);
  return backendAt(url);
}

/** A running instance. */
export function backendAt(url: string): Backend {
  const verification = `${url}/verification`;
  return {
    url,
    begin: (customer, search = '') => send('POST', verification + search, customer),
    again: (customer) => send('POST', `${verification}/again`, customer),
    status: (customer) => send('GET', verification, customer),
    result: (customer) => send('GET', `${verification}/result`, customer),
    erase: (customer) => send('DELETE', verification, customer),
  };
}

/** The environment variables with which the backend uses the sandbox. */
export function accountOf(
  sandbox: BerbixSandbox,
  kind: 'sdk' | 'hosted' = 'hosted',
): Record<string, string> {
  return {
    BERBIX_API_HOST: sandbox.url,
    BERBIX_API_SECRET: sandbox.apiSecret,
    BERBIX_TEMPLATE_KEY: sandbox.templateKeys[kind],
    BERBIX_TEMPLATE_KIND: kind,
    BERBIX_WEBHOOK_FINISHED_SECRET: sandbox.webhookSecrets.finished,
    BERBIX_WEBHOOK_STATUS_SECRET: sandbox.webhookSecrets.status,
    BERBIX_ENCRYPTION_KEYS: KEYS,
  };
}

/** The refresh tokens that were exchanged, oldest first. */
export const exchanged = (sandbox: BerbixSandbox): string[] =>
  sandbox.requests.to('POST', '/v0/tokens').map(({ body }) => JSON.parse(body).refresh_token);

export const created = (sandbox: BerbixSandbox): number =>
  sandbox.requests.to('POST', '/v0/transactions').length;

/** Submits a choice on the sandbox's page of the verification, and waits for the webhooks. */
export async function finish(
  sandbox: BerbixSandbox,
  { body }: Answer,
  choice = 'accept',
): Promise<void> {
  const { hostedUrl, clientToken = '' } = body;
  const page =
    hostedUrl ??
    // Instead of the Berbix front end.
    (await post(`${sandbox.url}/verify`, { client_token: clientToken })).headers.get('location');
  const { status } = await post(new URL(page ?? '', sandbox.url), { choice });
  if (status !== 200) throw new Error(`The page answered ${status}.`);
  await sandbox.webhooks.settled();
}

function post(url: string | URL, fields: Record<string, string>): Promise<Response> {
  return fetch(url, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' });
}

async function send(method: string, url: string, customer?: string): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: customer === undefined ? {} : { 'x-demo-customer': customer },
  });
  const text = await response.text();
  const body = text === '' ? {} : JSON.parse(text);
  return { status: response.status, headers: response.headers, text, body };
}
