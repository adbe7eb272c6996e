import { describe, expect, it } from '@jest/globals';
import { createReferenceDocument } from '../../lib/sandbox/openapi/document.js';
import { PLACEHOLDERS } from '../../lib/sandbox/openapi/model.js';
import { examplesOf, routesOf } from './support/reference.js';
import { LIFE } from './support/samples.js';

const DOCUMENT = createReferenceDocument(PLACEHOLDERS);
const OPERATIONS = routesOf(DOCUMENT).map(({ operation }) => operation);
/** The languages whose programs cannot be run here. */
const LABELS = ['PHP', 'Python', 'Ruby', 'Java', 'Go'];

function sourceOf(operationId: string, label: string): string {
  const webhooks = Object.values(DOCUMENT.webhooks).map(({ post }) => post);
  const operation = [...OPERATIONS, ...webhooks].find((each) => each.operationId === operationId);
  return operation?.['x-codeSamples']?.find((sample) => sample.label === label)?.source ?? '';
}

/** The texts in the body of a request, however deep. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** The method of the SDK, as its language spells it. */
function methodOf(operationId: string, label: string): string {
  if (label === 'Go') return `client.${operationId[0]?.toUpperCase()}${operationId.slice(1)}(`;
  if (label === 'PHP') return `$client->${operationId}(`;
  if (label === 'Java') return `client.${operationId}(`;
  return `client.${operationId.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}(`;
}

describe.each(LABELS)('the samples for %s', (label) => {
  it.each(LIFE)('call what they are about, with what the document has as an example: %s', (id) => {
    const source = sourceOf(id, label);
    expect(source).toContain(methodOf(id, label));
    const operation = OPERATIONS.find(({ operationId }) => operationId === id);
    const examples = Object.fromEntries(operation ? examplesOf(operation) : []);
    // Not every SDK has transactions for uploads, and none needs to name the grant.
    const { apiOnly: _, ...others } = examples;
    for (const text of textsIn(others).filter((each) => each !== 'refresh_token')) {
      // Java has constants for closed words.
      const spellings = [text, text.toUpperCase().replaceAll('-', '_')];
      expect([text, spellings.some((each) => source.includes(each))]).toEqual([text, true]);
    }
    const of = ['createTransaction', 'refreshTokens'].includes(id) ? [id] : ['refreshTokens', id];
    const called = LIFE.filter((other) => source.includes(methodOf(other, label)));
    expect(called.toSorted()).toEqual(of.toSorted());
    expect(source).toContain(DOCUMENT.servers[0]?.url);
  });
});

/** What a sample says of a webhook whose signature is not right, or incomplete. */
const REFUSALS: Record<string, string[]> = {
  PHP: [
    "count(explode(',', $signature)) === 3",
    'if (!$isComplete || !$client->validateSignature($secret, $body, $signature)) {\n    http_response_code(400);',
  ],
  Python: [
    "signature.count(',') == 2",
    "if not is_complete or not client.validate_signature(secret, body, signature):\n        start_response('400 Bad Request', [])\n        return []",
  ],
  Ruby: [
    "signature.count(',') == 2",
    'next [400, {}, []] unless is_complete && client.validate_signature(secret, body, signature)',
  ],
  Java: [
    'isSigned = signature != null && client.validateSignature(secret, body, signature)',
    'if (isSigned) ',
  ],
  Go: [
    'err = client.ValidateSignature(secret, string(body), r.Header.Get("X-Berbix-Signature"))',
    'if err != nil || json.Unmarshal(body, &event) != nil {\n\t\t\tw.WriteHeader(http.StatusBadRequest)\n\t\t\treturn',
  ],
};

describe.each(Object.entries(REFUSALS))('the samples of webhooks for %s', (label, parts) => {
  it.each(['verificationFinished', 'verificationStatus'])(
    'refuse a wrong signature before they use the body: %s',
    (operationId) => {
      const source = sourceOf(operationId, label);
      const places = [
        ...parts.map((part) => source.indexOf(part)),
        source.search(/customer_uid'\]|CustomerUID, |println\(body\)/),
      ];
      expect(places).not.toContain(-1);
      expect(places).toEqual(places.toSorted((one, other) => one - other));
    },
  );
});

/** The lines that write something to the terminal. */
const WRITES = /^.*\b(?:echo|print|println|Println|puts|log)\b.*$/gm;

describe.each([...LABELS, 'Node.js'])('what the samples for %s write', (label) => {
  it.each(['createTransaction', 'refreshTokens'])(
    'is the token for the page or app, and not the one for the backend: %s',
    (id) => {
      const lines = (sourceOf(id, label).match(WRITES) ?? []).join('\n');
      expect(lines).toMatch(/client_?token/i);
      expect(lines).not.toMatch(/refresh_?token|stored/i);
    },
  );
});

describe.each([
  ['PHP', "error_log($event['customer_uid'] . ' ' . $event['action']);"],
  ['Python', "start_response('200 OK', [])"],
  ['Ruby', '[200, {}, []]'],
  ['Java', 'exchange.sendResponseHeaders(isSigned ? 200 : 400, -1);'],
  ['Go', 'log.Println(event.CustomerUID, event.Action)'],
])('the samples of webhooks for %s', (label, end) => {
  it.each(['verificationFinished', 'verificationStatus'])('accept a right one: %s', (id) => {
    const source = sourceOf(id, label);
    expect(source.indexOf(end)).toBeGreaterThan(source.search(/validate_?signature/i));
  });
});

describe('the samples for Go', () => {
  it.each(LIFE.slice(2))('stop if the exchange was refused, which is no error there: %s', (id) => {
    const source = sourceOf(id, 'Go');
    expect(source).toMatch(
      /tokens, err := client\.RefreshTokens\(.*\)\n.*\n.*\n\t\}\n.*\n\tif tokens\.AccessToken == "" \{\n\t\tlog\.Fatal\(/,
    );
  });
});

describe('the samples for curl', () => {
  it('quote what a shell would take for something else', () => {
    const document = createReferenceDocument({ ...PLACEHOLDERS, refreshToken: "it's" });
    const exchange = routesOf(document).find(
      ({ operation }) => operation.operationId === 'refreshTokens',
    );
    const sample = exchange?.operation['x-codeSamples']?.find((each) => each.label === 'curl');
    expect(sample?.source).toContain(`"refresh_token": "it'\\''s"`);
  });

  it('say what each of their examples is for, and which token they need', () => {
    expect(sourceOf('createTransaction', 'curl').match(/^# .*$/gm)).toEqual([
      '# Set BERBIX_API_SECRET to the API secret.',
      '# For the SDK in a page or app',
      '# For a page hosted by Berbix',
      '# For uploads by the backend',
    ]);
    for (const [operationId, name] of [
      ['fetchTransaction', 'access_token'],
      ['uploadIdScan', 'client_token'],
    ] as const) {
      const source = sourceOf(operationId, 'curl');
      const variable = name.toUpperCase();
      expect(source).toContain(`# ${variable} has the ${name} of the transaction.\ncurl `);
      expect(source).toContain(`-H "Authorization: Bearer $${variable}"`);
    }
  });
});

describe('the samples for SDKs that need HTTPS', () => {
  it.each([
    [
      { url: 'https://api.test', tlsUrl: undefined },
      'https://api.test',
      /^# Set BERBIX_API_SECRET .*\nclient/m,
    ],
    [
      { url: 'http://x.test:4010', tlsUrl: 'https://x.test:9' },
      'https://x.test:9',
      /^# This SDK needs HTTPS: SSL_CERT_FILE has the CA file of the sandbox\.$/m,
    ],
    [
      { url: 'http://x.test:4010', tlsUrl: undefined },
      'https://x.test:4011',
      /--tls --tls-port 4011/,
    ],
  ])('have the address %j', (urls, expected, note) => {
    const document = createReferenceDocument({ ...PLACEHOLDERS, ...urls });
    const [operation] = routesOf(document).map((route) => route.operation);
    const sampleFor = (name: string): string =>
      operation?.['x-codeSamples']?.find(({ label }) => label === name)?.source ?? '';
    expect(sampleFor('Ruby')).toContain(`api_host: '${expected}'`);
    expect(sampleFor('Ruby')).toMatch(note);
    // The same in its own words.
    const inNode = note.source
      .replaceAll('# ', '// ')
      .replace('client', 'const client')
      .replace('SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS');
    expect(sampleFor('Node.js')).toContain(`apiHost: '${expected}'`);
    expect(sampleFor('Node.js')).toMatch(new RegExp(inNode, 'm'));
  });
});
