import {
  type ApiConflictBody,
  type ApiErrorBody,
  READABLE,
  UPLOAD_STEPS,
} from '../../wire/index.js';
import type { Refusal } from '../http/api-exception.js';
import {
  type Content,
  object,
  openWord,
  ref,
  type Response,
  type Schema,
  string,
} from './model.js';

/** The next upload, in answers to uploads and in refusals of them. */
export const NEXT_STEP: Schema = openWord(Object.values(UPLOAD_STEPS), {
  description: 'The upload that the transaction expects.',
  examples: [UPLOAD_STEPS.back],
});

/** The bodies of refusals. */
export const ERROR_SCHEMAS: Record<string, Schema> = {
  ApiErrorBody: object<ApiErrorBody>(
    {
      code: { type: 'integer', description: 'Repeats the HTTP status.', examples: [401] },
      readable: openWord(Object.values(READABLE), {
        description: 'A word that programs can compare.',
      }),
      message: string({ description: 'What is wrong, for people.' }),
    },
    ['code', 'message'],
    'The body of every refusal but a conflict of uploads.',
  ),
  ApiConflictBody: object<ApiConflictBody>(
    { next_step: NEXT_STEP, message: string() },
    ['message'],
    'The transaction expects another upload, or none.',
  ),
};

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

const CHALLENGE: Response['headers'] = {
  'WWW-Authenticate': {
    description: 'The scheme for the credential: Basic or Bearer.',
    schema: { type: 'string' },
  },
};
const RETRY_AFTER: Response['headers'] = {
  'Retry-After': { description: 'When to try again, in seconds.', schema: { type: 'integer' } },
};

/** The responses for these refusals, by status. */
export function refuses(...refusals: Refusal[]): Record<string, Response> {
  const responses: Record<string, Response> = {};
  for (const status of new Set(refusals.map(([code]) => code))) {
    const same = refusals.filter(([code]) => code === status);
    const headers = headersOf(status, same);
    responses[status] = {
      description: same.map(([, , when]) => when).join('\n\n'),
      ...(headers && { headers }),
      content: { 'application/json': contentOf(same) },
    };
  }
  return responses;
}

function headersOf(status: number, refusals: readonly Refusal[]): Response['headers'] {
  if (status === 401) return CHALLENGE;
  return refusals.some(([, , , hasRetryAfter]) => hasRetryAfter) ? RETRY_AFTER : undefined;
}

function contentOf(refusals: readonly Refusal[]): Content {
  const examples = refusals.map(([code, word, when]) => {
    const readable = READABLE[word];
    return [readable, { summary: readable, value: { code, readable, message: when } }] as const;
  });
  return { schema: ref('ApiErrorBody'), examples: Object.fromEntries(examples) };
}
