import { describe, it } from '@jest/globals';
import type { BerbixError, BerbixTokens } from 'nestjs-berbix';
import type { BerbixSandbox, SandboxFault } from 'nestjs-berbix/sandbox';
import type { Observable } from 'rxjs';
import { errorOf } from '../support/errors.js';
import {
  createTransaction,
  servicesFor,
  type Services,
  startSandbox,
} from '../support/services.js';
import { expectApproved } from './support/approved.js';
import { Variables } from './support/variables.js';

/** What the API, or something on the way to it, may answer. */
const FAULTS: Record<string, SandboxFault> = {
  '400': { kind: 'status', status: 400, readable: 'bad_request', message: 'uid is too long' },
  '401': { kind: 'status', status: 401 },
  '403': { kind: 'status', status: 403 },
  '404': { kind: 'status', status: 404 },
  '409': { kind: 'status', status: 409 },
  '410': { kind: 'status', status: 410 },
  '429, with a time': { kind: 'status', status: 429, retryAfter: 7 },
  '429': { kind: 'status', status: 429 },
  '500': { kind: 'status', status: 500, message: 'Out of order' },
  '503, with a time': { kind: 'status', status: 503, retryAfter: 120 },
  'a page of a proxy': { kind: 'html' },
  'a redirect': { kind: 'answer', status: 302, headers: { location: '/login' }, body: '' },
  'a text': { kind: 'answer', headers: { 'content-type': 'text/plain' }, body: 'Hello' },
  'an empty object': { kind: 'answer', body: {} },
  'fields of another type': {
    kind: 'answer',
    body: { access_token: 1, refresh_token: '', expires_in: '3600', action: 2, flags: 3 },
  },
  'a lost connection': { kind: 'reset' },
  'a connection that is lost afterwards': { kind: 'reset', processed: true },
  'half of an answer': { kind: 'truncate', processed: true },
  'an answer without end': { kind: 'flood', bytes: 10_000_000 },
};

type Call = (
  services: Services,
  tokens: BerbixTokens,
  sandbox: BerbixSandbox,
) => Observable<unknown>;

const CALLS: Record<string, Call> = {
  refresh: ({ tokens }, { refreshToken }) => tokens.refresh(refreshToken),
  create: ({ transactions }, _, { templateKeys }) =>
    transactions.create({ customerUid: 'ada', templateKey: templateKeys.sdk }),
  fetch: ({ transactions }, tokens) => transactions.fetch(tokens),
  delete: ({ transactions }, tokens) => transactions.delete(tokens),
};

describe('what a caller gets if the API or the way to it fails', () => {
  it.each(Object.entries(CALLS))('is the error of %s as approved', async (name, call) => {
    const sandbox = await startSandbox();
    const parts: string[] = [];
    for (const [what, fault] of Object.entries(FAULTS)) {
      // Apart from the others, whose failures would open the circuit.
      const services = await servicesFor(sandbox);
      const tokens = await createTransaction(sandbox, services);
      sandbox.faults.add(fault);
      const error = await errorOf(call(services, tokens, sandbox)).catch(() => undefined);
      sandbox.faults.clear();
      parts.push([`# ${what}`, error ? describeError(error) : 'No error.'].join('\n'));
    }
    const text = new Variables().in(`${parts.join('\n\n')}\n`);
    expectApproved(`failures/${name}.txt`, text);
  });
});

function describeError(error: BerbixError): string {
  const { message, name, ...facts } = error.toJSON();
  const hasTokens = error.tokens !== undefined;
  return `${String(name)}: ${String(message)}\n${JSON.stringify({ ...facts, hasTokens })}`;
}
