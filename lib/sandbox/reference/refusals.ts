import { READABLE } from '../../wire/index.js';
import type { Content, Response } from './openapi.js';
import { ref } from './schema.js';

/** A refusal: its status, the word that tells it from others of that status, and when it comes. */
export type Refusal = readonly [status: number, readable: keyof typeof READABLE, when: string];

export const NO_SECRET: Refusal = [
  401,
  'invalidApiSecret',
  'The API secret is missing or not known.',
];
export const NO_ACCESS_TOKEN: Refusal = [
  401,
  'invalidAccessToken',
  'The access token is missing, expired or not known. Exchange the refresh token.',
];
export const NO_CLIENT_TOKEN: Refusal = [
  401,
  'invalidClientToken',
  'The client token is missing, expired or not known. Exchange the refresh token.',
];
export const WRONG_KIND: Refusal = [403, 'wrongTokenKind', 'A token of another kind was sent.'];
export const GONE: Refusal = [410, 'transactionGone', 'The transaction was deleted, or purged.'];
export const TOO_LARGE: Refusal = [413, 'payloadTooLarge', 'The body is larger than 20 MiB.'];

const HEADERS: Record<number, Response['headers']> = {
  401: {
    'WWW-Authenticate': {
      description: 'The scheme in which the credential is to be sent: Basic or Bearer.',
      schema: { type: 'string' },
    },
  },
  429: {
    'Retry-After': { description: 'When to try again, in seconds.', schema: { type: 'integer' } },
  },
};

/** The responses for these refusals, by status. */
export function refuses(...refusals: Refusal[]): Record<string, Response> {
  const responses: Record<string, Response> = {};
  for (const status of new Set(refusals.map(([code]) => code))) {
    const same = refusals.filter(([code]) => code === status);
    const headers = HEADERS[status];
    responses[status] = {
      description: same.map(([, , when]) => when).join('\n\n'),
      ...(headers && { headers }),
      content: { 'application/json': contentOf(same) },
    };
  }
  return responses;
}

function contentOf(refusals: readonly Refusal[]): Content {
  const examples = refusals.map(([code, word, when]) => {
    const readable = READABLE[word];
    return [readable, { summary: readable, value: { code, readable, message: when } }] as const;
  });
  return { schema: ref('ApiErrorBody'), examples: Object.fromEntries(examples) };
}
