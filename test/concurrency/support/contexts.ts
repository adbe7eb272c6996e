import { AsyncLocalStorage } from 'node:async_hooks';
import { createServer } from 'node:http';
import fc from 'fast-check';
import { listening } from '../../support/services.js';

/** The request that an application handles; each caller in these tests has its own. */
export const request = new AsyncLocalStorage<string>();

export interface Recorded {
  /** The API secret of the request. */
  secret: string;
  /** The request that an interceptor has added. */
  trace: string;
  body: { customer_uid?: string; refresh_token?: string };
}

/** An API that takes a different time for each answer. */
export async function unevenApi(delays: readonly number[]) {
  const requests: Recorded[] = [];
  const server = createServer((incoming, response) => {
    let text = '';
    incoming.on('data', (chunk) => (text += chunk));
    incoming.on('end', () => {
      const [secret = ''] = Buffer.from(
        String(incoming.headers.authorization).slice('Basic '.length),
        'base64',
      )
        .toString()
        .split(':');
      const body = JSON.parse(text) as Recorded['body'];
      const id = requests.push({ secret, trace: String(incoming.headers['x-trace']), body });
      const answer = {
        access_token: `access-${id}`,
        client_token: `client-${id}`,
        refresh_token: body.refresh_token ?? `refresh-${id}`,
        transaction_id: id,
        expires_in: 3600,
      };
      response.setHeader('content-type', 'application/json');
      setTimeout(() => response.end(JSON.stringify(answer)), delays[id % delays.length]);
    });
  });
  return { url: await listening(server), requests };
}

/** The request in which it is called, or a text that there is none. */
export const seen = (): string => request.getStore() ?? 'none';

/** The number of connections and of callers, and the duration of each answer. */
export const loads = fc.record({
  connections: fc.integer({ min: 1, max: 3 }),
  callers: fc.integer({ min: 2, max: 12 }),
  delays: fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 1, maxLength: 12 }),
});

/** Runs a function concurrently for all callers, each in a request of its own. */
export function callEach<T>(
  callers: number,
  call: (id: string) => Promise<T>,
): Promise<{ id: string; value: T; after: string }[]> {
  return Promise.all(
    Array.from({ length: callers }, (_, index) => {
      const id = `request_${index}`;
      return request.run(id, async () => {
        const value = await call(id);
        return { id, value, after: seen() };
      });
    }),
  );
}
