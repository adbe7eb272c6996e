import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { API_PATHS } from '../../lib/wire/index.js';
import { usualOrLong } from '../support/long.js';
import { PLATFORMS } from '../support/platforms.js';
import { startSandboxOn } from '../support/services.js';

interface Shot {
  method: string;
  path: string;
  /** Index of one of the credentials at hand. */
  credential: number;
  contentType: string | undefined;
  body: string | Uint8Array | undefined;
}

const FIELDS = [
  'customer_uid',
  'template_key',
  'email',
  'hosted_options',
  'api_only_options',
  'id_type',
  'refresh_token',
  'grant_type',
  'action',
  'note',
  'response_payload',
  'flags',
  'override_fields',
  'images',
  'image_subject',
  'data',
  'id_scans',
  'scan_type',
  'extracted_data',
];

const field = fc.constantFrom(...FIELDS);
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(
    'us-dl',
    'accept',
    'refresh_token',
    'document_front',
    'pdf417',
    'QUJD',
    '',
    [],
    {},
  ),
);
const apiObject = fc.dictionary(
  field,
  fc.oneof(value, fc.array(fc.dictionary(field, value), { maxLength: 2 })),
);

const shot: fc.Arbitrary<Shot> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'POST', 'PATCH', 'DELETE', 'PUT', 'OPTIONS', 'HEAD'),
  path: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...Object.values(API_PATHS)) },
    { weight: 1, arbitrary: fc.webPath() },
  ),
  credential: fc.nat(9),
  contentType: fc.option(
    fc.constantFrom('application/json', 'text/plain', 'multipart/form-data', 'x'),
    {
      nil: undefined,
    },
  ),
  body: fc.option(
    fc.oneof(
      { weight: 4, arbitrary: apiObject.map((object) => JSON.stringify(object)) },
      fc.json(),
      fc.string(),
      fc.uint8Array({ maxLength: 200 }),
    ),
    { nil: undefined },
  ),
});

describe.each(PLATFORMS)('the sandbox on %s, whatever it is sent', (platform) => {
  it('always answers, in the format of the API, and never with a 5xx', async () => {
    const sandbox = await startSandboxOn(platform);
    await fc.assert(
      fc.asyncProperty(fc.array(shot, { minLength: 1, maxLength: 6 }), async (shots) => {
        const credentials = await credentialsOf(sandbox);
        for (const each of shots) await expectApiAnswer(sandbox, each, credentials);
      }),
      { numRuns: usualOrLong(60, 1_000) },
    );
  });
});

/** Right ones and wrong ones, of a transaction that is new each time. */
async function credentialsOf(sandbox: BerbixSandbox): Promise<(string | undefined)[]> {
  const basic = (secret: string): string => `Basic ${Buffer.from(`${secret}:`).toString('base64')}`;
  const answer = await fetch(`${sandbox.url}/v0/transactions`, {
    method: 'POST',
    headers: { authorization: basic(sandbox.apiSecret) },
    body: JSON.stringify({
      customer_uid: 'ada',
      template_key: sandbox.templateKeys.apiOnly,
      api_only_options: {},
    }),
  });
  const tokens = (await answer.json()) as Record<string, string>;
  return [
    undefined,
    '',
    'Basic',
    'Bearer x',
    basic('secret_test_wrong'),
    basic(sandbox.apiSecret),
    basic(sandbox.liveApiSecret),
    `Bearer ${tokens['access_token']}`,
    `Token ${tokens['client_token']}`,
    `bearer ${tokens['refresh_token']}`,
  ];
}

async function expectApiAnswer(
  sandbox: BerbixSandbox,
  { method, path, credential, contentType, body }: Shot,
  credentials: (string | undefined)[],
): Promise<void> {
  const authorization = credentials[credential];
  const answer = await fetch(sandbox.url + path, {
    method,
    headers: {
      ...(authorization !== undefined && { authorization }),
      ...(contentType !== undefined && { 'content-type': contentType }),
    },
    ...(body !== undefined && !['GET', 'HEAD'].includes(method) && { body: body as string }),
  });
  const text = await answer.text();
  expect(answer.status).toBeLessThan(500);
  if (method === 'HEAD' || answer.status === 204) {
    expect(text).toBe('');
    return;
  }
  const type = answer.headers.get('content-type') ?? '';
  const { pathname } = new URL(answer.url);
  // Express takes more than one slash for the home page too.
  const mayBeHome = method === 'GET' && /^\/+$/.test(pathname);
  if (mayBeHome && answer.status === 200) return expect(type).toMatch(/^text\/html/);
  expect(pathname).not.toBe(method === 'GET' ? '/' : '');
  expect(type).toMatch(/^application\/json/);
  const parsed = JSON.parse(text) as Record<string, unknown>;
  if (answer.status < 300) return;
  expect(parsed).toMatchObject(
    answer.status === 409 && 'next_step' in parsed
      ? { next_step: expect.any(String), message: expect.any(String) }
      : { code: answer.status, readable: expect.any(String), message: expect.any(String) },
  );
}
