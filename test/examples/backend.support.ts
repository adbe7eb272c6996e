import { Test } from '@nestjs/testing';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { AppModule } from '../../examples/backend/app.module.js';
import { Database } from '../../examples/backend/database/database.js';
import { listen, type PLATFORMS } from '../support/platforms.js';

/** One answer of the backend. */
export interface Answer {
  status: number;
  headers: Headers;
  /** As it arrived, for the search for secrets. */
  text: string;
  body: Record<string, string>;
}

/** A running instance of the example backend. */
export interface Backend {
  begin(customer?: string, query?: string): Promise<Answer>;
  status(customer?: string): Promise<Answer>;
}

/** An instance for one test; the database is shared with others. */
export async function startBackend(
  adapter: (typeof PLATFORMS)[number][1],
  sandbox: BerbixSandbox,
  query: Database['query'],
  environment: Record<string, string> = {},
): Promise<Backend> {
  const url = await withEnvironment({ ...accountOf(sandbox), ...environment }, () =>
    listen(
      Test.createTestingModule({ imports: [AppModule] })
        .overrideProvider(Database)
        .useValue({ location: 'shared', query }),
      adapter,
    ),
  );
  return {
    begin: (customer, search = '') => send('POST', `${url}/verification${search}`, customer),
    status: (customer) => send('GET', `${url}/verification`, customer),
  };
}

/** What the backend is configured with to reach the sandbox. */
export function accountOf(sandbox: BerbixSandbox): Record<string, string> {
  return {
    BERBIX_API_HOST: sandbox.url,
    BERBIX_API_SECRET: sandbox.apiSecret,
    BERBIX_TEMPLATE_KEY: sandbox.templateKeys.sdk,
  };
}

/** The transaction that a client token is for, and when it ends. */
export function claimsOf({ body }: Answer): { sub: string; exp: number } {
  const [, claims = ''] = body['clientToken']?.split('.') ?? [];
  return JSON.parse(Buffer.from(claims, 'base64url').toString());
}

/** Deletes a transaction at Berbix behind the backend's back. */
export async function deleteTransaction(
  sandbox: BerbixSandbox,
  refreshToken: string,
): Promise<void> {
  const exchange = await fetch(`${sandbox.url}/v0/tokens`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${sandbox.apiSecret}:`).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ refresh_token: refreshToken, grant_type: 'refresh_token' }),
  });
  const { access_token: accessToken } = (await exchange.json()) as { access_token: string };
  await fetch(`${sandbox.url}/v0/transactions`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${accessToken}` },
  });
}

async function send(method: string, url: string, customer?: string): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: customer === undefined ? {} : { 'x-demo-customer': customer },
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
}

async function withEnvironment<T>(
  variables: Record<string, string>,
  run: () => Promise<T>,
): Promise<T> {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  try {
    return await run();
  } finally {
    for (const name of Object.keys(variables)) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
}
