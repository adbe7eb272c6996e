import { beforeAll, describe, expect, it } from '@jest/globals';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { withoutSecrets } from '../../lib/sandbox/control/redaction.js';
import { PLATFORMS } from '../support/platforms.js';
import { startSandboxOn } from '../support/services.js';
import { basic, RawClient } from './support/raw-client.js';

const RT = `rt_${'a'.repeat(60)}`;
const CLAIM = '0a'.repeat(24);

describe.each(PLATFORMS)('What the control API shows of secrets on %s', (platform) => {
  let sandbox: BerbixSandbox;
  let client: RawClient;
  let secrets: string[];

  beforeAll(async () => {
    sandbox = await startSandboxOn(platform);
    client = new RawClient(sandbox);
    const { json } = await client.create();
    const page = await sandbox.transactions.create({ kind: 'hosted' });
    await client.refresh(json.refresh_token);
    await client.fetch(json.access_token);
    await client.send('POST', `/v0/images/upload?client_token=${json.client_token}`, {
      authorization: `Token ${json.client_token}`,
      body: `refresh_token=${json.refresh_token}&x=1`,
      headers: {
        cookie: 'sid=crumbs',
        referer: String(page.hostedUrl),
        'x-forwarded-authorization': basic(sandbox.apiSecret),
        'x-token': `old_${json.refresh_token}`,
      },
    });
    sandbox.faults.add({
      kind: 'answer',
      path: '/never',
      body: { ...json, note: json.access_token } as never,
    });
    sandbox.webhooks.setUrl('status', 'http://127.0.0.1:9/');
    const tokens = [json.refresh_token, json.access_token, json.client_token].map(String);
    const authorization = basic(sandbox.apiSecret).slice('Basic '.length);
    const webhooks = Object.values(sandbox.webhookSecrets);
    const claim = page.pagePath?.slice('/hosted/'.length) ?? '';
    secrets = [...tokens, sandbox.apiSecret, authorization, ...webhooks, claim, 'crumbs'];
  });

  const LISTS = ['requests', 'faults', 'webhooks', 'webhooks/deliveries'];

  it.each(LISTS)('is none of them by default: /sandbox/%s', async (list) => {
    for (const query of ['', '?secrets=0', '?secrets=true', '?secrets=1&secrets=1']) {
      const { status, text } = await client.send('GET', `/sandbox/${list}${query}`);
      expect(status).toBe(200);
      expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
    }
  });

  it('is none of them in the answer to a command', async () => {
    const body = { kind: 'answer', path: '/never', body: { access_token: 'at_1' } };
    const { status, json } = await client.send('POST', '/sandbox/faults', { body });
    expect([status, json.body]).toEqual([201, { access_token: '[redacted]' }]);
    sandbox.faults.remove(String(json.id));
  });

  it('is all of them on request', async () => {
    const lists = LISTS.map((list) => client.send('GET', `/sandbox/${list}?secrets=1`));
    const text = (await Promise.all(lists)).map((answer) => answer.text).join('');
    const hidden = secrets.filter((secret) => !text.includes(secret));
    expect(hidden).toEqual([sandbox.apiSecret]);
  });

  it('includes values that are not secret; a program in the same process sees everything', async () => {
    const { json } = await client.send('GET', '/sandbox/requests');
    const [created, exchanged, fetched] = json.requests as { headers: object; body: string }[];
    expect(created).toMatchObject({
      headers: { authorization: 'Basic [redacted]', 'content-type': 'application/json' },
      body: expect.stringContaining(`"template_key":"${sandbox.templateKeys.sdk}"`),
    });
    expect(JSON.parse(exchanged?.body ?? '')).toEqual({
      refresh_token: '[redacted]',
      grant_type: 'refresh_token',
    });
    expect(fetched).toMatchObject({ headers: { authorization: 'Bearer [redacted]' } });
    const [recorded] = sandbox.requests.to('POST', '/v0/transactions');
    expect(recorded?.headers.authorization).toBe(basic(sandbox.apiSecret));
  });
});

describe('withoutSecrets', () => {
  it.each([
    [`{"refresh_token" : "a\\"b\\\\" , "x":"y"}`, `{"refresh_token" : "[redacted]" , "x":"y"}`],
    [`{"Refresh_Token":"a"}`, `{"Refresh_Token":"[redacted]"}`],
    ['Client_Secret=a&y=1', 'Client_Secret=[redacted]&y=1'],
    ['{"access_token":"cut o', '{"access_token":"[redacted]'],
    [`{"refresh\\u005ftoken":"${RT}"}`, '{"refresh\\u005ftoken":"rt_[redacted]"}'],
    [
      'grant_type=refresh_token&refresh_token=x%20&y=1',
      'grant_type=refresh_token&refresh_token=[redacted]&y=1',
    ],
    ['eyJh.eyJi.c-_', '[redacted]'],
    ['x-eyJh.eyJi.c', 'x-[redacted]'],
    ["curl -u 'secret_test_a$%&b:'", "curl -u 'secret_test_[redacted]:'"],
    ["curl -u 'secret_live_a$%&b:'", "curl -u 'secret_live_[redacted]:'"],
    ['signed by whs_live_aB_1, once', 'signed by whs_live_[redacted], once'],
    [`foo_${RT}`, 'foo_rt_[redacted]'],
    ['foo_eyJh.eyJi.c', 'foo_[redacted]'],
    ['foo_secret_test_a foo_whs_test_b', 'foo_secret_test_[redacted] foo_whs_test_[redacted]'],
    ['old_api_secret=a&y=1', 'old_api_secret=[redacted]&y=1'],
    [`Basic ${btoa('secret_test_ab:')}, 1`, 'Basic c2VjcmV0X3Rlc3Rf[redacted], 1'],
    [`"${btoa('secret_live_ab:')}"`, '"c2VjcmV0X2xpdmVf[redacted]"'],
    [`http://x/hosted/${CLAIM}?a`, 'http://x/hosted/[redacted]?a'],
    [`next=%2Fhosted%2f${CLAIM}&a`, 'next=%2Fhosted%2f[redacted]&a'],
    [`"http:\\/\\/x\\/hosted\\/${CLAIM}"`, '"http:\\/\\/x\\/hosted\\/[redacted]"'],
    ['page_path=a&hosted_url=b', 'page_path=[redacted]&hosted_url=[redacted]'],
    ['page_path=a', 'page_path=[redacted]'],
    ['http://x/hosted/create', 'http://x/hosted/create'],
    ['https://u:p@host/a@b', 'https://[redacted]@host/a@b'],
    ['{"id":9007199254740993,"uid":"at_home"}', '{"id":9007199254740993,"uid":"at_home"}'],
  ])('converts %s', (text, wanted) => {
    expect(withoutSecrets({ text: [text] })).toEqual({ text: [wanted] });
  });

  it('removes members by their names, whatever their values look like', () => {
    expect(withoutSecrets({ Authorization: 'x', n: 5n, no: null })).toEqual({
      Authorization: '[redacted]',
      n: 5n,
      no: null,
    });
  });

  it.each([
    'access_token',
    'client_token',
    'refresh_token',
    'api_secret',
    'client_secret',
    'finished_secret',
    'status_secret',
    'hosted_url',
    'page_path',
    'cookie',
    'Set-Cookie',
  ])('removes the member %s', (name) => {
    expect(withoutSecrets({ [name]: 'a b' })).toEqual({ [name]: '[redacted]' });
  });

  it.each(['authorization', 'Proxy-Authorization'])('keeps the scheme of %s', (name) => {
    expect(withoutSecrets({ [name]: 'Basic a b' })).toEqual({ [name]: 'Basic [redacted]' });
  });

  it('can process a body as large as an upload', () => {
    const body = `{"images":[{"data":"${'x"\\'.repeat(3 * 1024 * 1024)}`;
    expect(withoutSecrets(body)).toBe(body);
    const open = `{"client_token":"${'\\"'.repeat(3 * 1024 * 1024)}`;
    expect(withoutSecrets(open)).toBe('{"client_token":"[redacted]');
  });

  // The square of the length would be minutes.
  it.each(['-eyJ', 'eyJa.', '-eyJa-', 'at_-', 'hosted/', 'secret_test', '://', '"access_token" '])(
    'takes time in proportion to the length of %j repeated',
    (part) => {
      const body = part.repeat((1024 * 1024) / part.length);
      const startedAt = performance.now();
      withoutSecrets(body);
      expect(performance.now() - startedAt).toBeLessThan(5000);
    },
  );
});
