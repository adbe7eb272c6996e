import { describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import {
  BerbixConfigurationError,
  BerbixModule,
  BerbixTokenService,
  type BerbixModuleOptions,
} from 'nestjs-berbix';
import { errorOf } from '../support/errors.js';

const SECRET = 'secret_test_CANARY';

function boot(options: unknown): Promise<unknown> {
  return Test.createTestingModule({
    imports: [BerbixModule.forRoot(options as BerbixModuleOptions)],
  })
    .compile()
    .then((module) => {
      const service = module.get(BerbixTokenService);
      return module.close().then(() => service);
    });
}

const WRONG: [string, unknown, RegExp][] = [
  ['no secret', {}, /^apiSecret is missing/],
  ['undefined', undefined, /^apiSecret is missing/],
  ['null', null, /^apiSecret is missing/],
  ['an empty secret', '', /^apiSecret is missing/],
  ['a number', 42, /^apiSecret is of type number, not a string/],
  ['a colon', { apiSecret: `${SECRET}:` }, /^apiSecret contains a colon/],
  ['a line break', { apiSecret: `${SECRET}\n` }, /^apiSecret contains a space, a line break/],
  ['a space', { apiSecret: ` ${SECRET}` }, /^apiSecret contains a space/],
  ['another alphabet', { apiSecret: `${SECRET}é` }, /^apiSecret contains .* another character/],
  ['an object', { apiSecret: { SECRET } }, /^apiSecret is of type object, not a string/],
  ['a misspelt option', { apiSecret: SECRET, apihost: 'x' }, /no option named "apihost".* apiHost/],
  [
    'a misspelt http option',
    { apiSecret: SECRET, http: { agent: 1 } },
    /^http has no option named "agent"/,
  ],
  [
    'a misspelt retry option',
    { apiSecret: SECRET, retry: { retries: 1 } },
    /^retry has no option named "retries"/,
  ],
  ['http as a string', { apiSecret: SECRET, http: 'x' }, /^http must be an object/],
  ['retry as a list', { apiSecret: SECRET, retry: [] }, /^retry must be an object/],
  ['a host alone', { apiSecret: SECRET, apiHost: 'api.berbix.com' }, /^apiHost must be a URL/],
  ['an empty host', { apiSecret: SECRET, apiHost: '' }, /^apiHost must be a URL/],
  ['no URL', { apiSecret: SECRET, apiHost: 'https://' }, /^apiHost must be a URL/],
  [
    'another scheme',
    { apiSecret: SECRET, apiHost: 'ftp://api.berbix.com' },
    /^apiHost must be a URL/,
  ],
  [
    'a path',
    { apiSecret: SECRET, apiHost: 'https://api.berbix.com/v0' },
    /^apiHost must be only scheme and host, such as https:\/\/api\.berbix\.com\. /,
  ],
  [
    'a query',
    { apiSecret: SECRET, apiHost: 'https://api.berbix.com?a=1' },
    /^apiHost must be only scheme and host/,
  ],
  [
    'a fragment',
    { apiSecret: SECRET, apiHost: 'https://api.berbix.com#v0' },
    /^apiHost must be only scheme and host/,
  ],
  [
    'a password alone',
    { apiSecret: SECRET, apiHost: 'https://:CANARY@api.berbix.com' },
    /^apiHost must not contain credentials/,
  ],
  [
    'credentials',
    { apiSecret: SECRET, apiHost: `https://${SECRET}@api.berbix.com` },
    /^apiHost must not contain credentials/,
  ],
  [
    'plain HTTP',
    { apiSecret: SECRET, apiHost: 'http://api.berbix.com' },
    /^apiHost must begin with https.*allowInsecure/,
  ],
  [
    'plain HTTP to a name that begins like this machine',
    { apiSecret: SECRET, apiHost: 'http://localhost.example.com' },
    /^apiHost must begin with https/,
  ],
  [
    'plain HTTP to an address that begins like one',
    { apiSecret: SECRET, apiHost: 'http://127.0.0.1.example.com' },
    /^apiHost must begin with https/,
  ],
  [
    'allowInMemoryStore as a word',
    { apiSecret: SECRET, allowInMemoryStore: 'yes' },
    /^allowInMemoryStore must be true or false/,
  ],
  [
    'allowInsecure as a word',
    { apiSecret: SECRET, allowInsecure: 'yes' },
    /^allowInsecure must be true or false/,
  ],
  [
    'a timeout of 0',
    { apiSecret: SECRET, timeoutMs: 0 },
    /^timeoutMs must be a whole number from 1/,
  ],
  [
    'a timeout as a string',
    { apiSecret: SECRET, timeoutMs: '5000' },
    /^timeoutMs must be a whole number/,
  ],
  [
    'a timeout of an attempt longer than that of the whole call',
    { apiSecret: SECRET, timeoutMs: 3_001, totalTimeoutMs: 3_000 },
    /^timeoutMs \(3001\) must not be more than totalTimeoutMs \(3000\)/,
  ],
  [
    'a timeout of an attempt longer than the default of the whole call',
    { apiSecret: SECRET, timeoutMs: 20_000 },
    /^timeoutMs \(20000\) must not be more than totalTimeoutMs \(15000\).* Raise totalTimeoutMs too\./,
  ],
  [
    'a lease that is no longer than a call',
    { apiSecret: SECRET, totalTimeoutMs: 20_000, freshness: { leaseMs: 20_000 } },
    /^freshness\.leaseMs must be more than totalTimeoutMs/,
  ],
  [
    'a cache without entries',
    { apiSecret: SECRET, freshness: { cacheSize: 0 } },
    /^freshness\.cacheSize must be a whole number, 1 or more; the default is 10000\.$/,
  ],
  [
    'a grace as text',
    { apiSecret: SECRET, freshness: { rotation: { graceMs: '60000' as never } } },
    /^freshness\.rotation\.graceMs must be a whole number, 1 or more\.$/,
  ],
  [
    'an unknown rotation',
    { apiSecret: SECRET, freshness: { rotation: 'always' as never } },
    /^freshness\.rotation must be 'none', 'strict' or \{ graceMs: milliseconds \}\.$/,
  ],
  [
    'a misspelt option of freshness',
    { apiSecret: SECRET, freshness: { leasMs: 60_000 } as never },
    /^freshness has no option named "leasMs"\. It takes rotation, leaseMs, cacheSize\.$/,
  ],
  [
    'a rotation with a store that a crash empties, without onRotation',
    { apiSecret: SECRET, freshness: { rotation: 'strict' } },
    /a crash of the store \(.*\) would lose the new ones\. Use a durable store/,
  ],
  [
    'an infinite timeout',
    { apiSecret: SECRET, totalTimeoutMs: Infinity },
    /^totalTimeoutMs must be a whole number/,
  ],
  [
    'a negative limit',
    { apiSecret: SECRET, retry: -1 },
    /^retry\.limit must be a whole number from 0/,
  ],
  ['too many repetitions', { apiSecret: SECRET, retry: 11 }, /^retry\.limit .* from 0 to 10/],
  [
    'too many connections',
    { apiSecret: SECRET, http: { connections: 10_001 } },
    /^http\.connections must be a whole number from 1 to 10000/,
  ],
  [
    'no connections',
    { apiSecret: SECRET, http: { connections: 0 } },
    /^http\.connections must be a whole number from 1/,
  ],
  [
    'a path as ca',
    { apiSecret: SECRET, http: { ca: '/etc/ca.pem' } },
    /^http\.ca must be a certificate as PEM text/,
  ],
  [
    'null as ca',
    { apiSecret: SECRET, http: { ca: null } },
    /^http\.ca must be a certificate as PEM text/,
  ],
  [
    'a word as proxy',
    { apiSecret: SECRET, http: { proxy: 'proxy:3128' } },
    /^http\.proxy must be the URL/,
  ],
  [
    'a proxy with a path',
    { apiSecret: SECRET, http: { proxy: 'http://proxy:3128/path' } },
    /^http\.proxy must be only scheme, host and port, such as http:\/\/proxy\.internal:3128/,
  ],
  [
    'a proxy with a stray percent sign',
    { apiSecret: SECRET, http: { proxy: 'http://user:100%@proxy:3128' } },
    /^http\.proxy has a % .* Write it as %25/,
  ],
  [
    'a proxy with a password and no user',
    { apiSecret: SECRET, http: { proxy: 'http://:word@proxy:3128' } },
    /^http\.proxy has a password without a user/,
  ],
  [
    'an object as dispatcher',
    { apiSecret: SECRET, http: { dispatcher: {} } },
    /^http\.dispatcher must be an undici dispatcher/,
  ],
  [
    'a dispatcher and a proxy',
    { apiSecret: SECRET, http: { dispatcher: { dispatch: () => true }, proxy: 'http://p' } },
    /^http\.proxy has no effect with http\.dispatcher/,
  ],
  [
    'a dispatcher and a client certificate',
    { apiSecret: SECRET, http: { dispatcher: { dispatch: () => true }, cert: 'CANARY' } },
    /^http\.cert has no effect with http\.dispatcher/,
  ],
  [
    'a dispatcher and an authority',
    { apiSecret: SECRET, http: { dispatcher: { dispatch: () => true }, extraCa: 'CANARY' } },
    /^http\.extraCa has no effect with http\.dispatcher/,
  ],
  ['null as http', { apiSecret: SECRET, http: null }, /^http must be an object/],
  ['null as retry', { apiSecret: SECRET, retry: null }, /^retry must be an object/],
  ['null as store', { apiSecret: SECRET, store: null }, /^store must be a BerbixTokenStore/],
  ['null as freshness', { apiSecret: SECRET, freshness: null }, /^freshness must be an object/],
  [
    'a time that is too long for a timer',
    { apiSecret: SECRET, storeTimeoutMs: 3_000_000_000 },
    /^storeTimeoutMs must be a whole number from 1 to 86400000/,
  ],
  [
    'a text as loadTokens',
    { apiSecret: SECRET, loadTokens: 'SELECT' },
    /^loadTokens must be a function/,
  ],
  [
    'an object as onRotation',
    { apiSecret: SECRET, onRotation: {} },
    /^onRotation must be a function/,
  ],
  [
    'an object as configureAxios',
    { apiSecret: SECRET, http: { configureAxios: {} } },
    /^http\.configureAxios must be a function/,
  ],
];

describe('an invalid option stops the boot with a message that names it', () => {
  it.each(WRONG)('%s', async (_what, options, message) => {
    const error = await errorOf(boot(options), BerbixConfigurationError);
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/\.$|\.\.\.$/);
    expect(error.message).not.toContain('CANARY');
  });
});

describe('a valid option boots', () => {
  it.each<[string, BerbixModuleOptions | string]>([
    ['the secret alone', SECRET],
    ['a function', { apiSecret: () => SECRET }],
    ['a slash at the end of the host', { apiSecret: SECRET, apiHost: 'https://api.berbix.com/' }],
    ['a day', { apiSecret: SECRET, storeTimeoutMs: 86_400_000 }],
    ['a port', { apiSecret: SECRET, apiHost: 'https://berbix.internal:8443' }],
    ['localhost', { apiSecret: SECRET, apiHost: 'http://localhost:4010' }],
    ['127.0.0.1', { apiSecret: SECRET, apiHost: 'http://127.0.0.1:4010' }],
    ['another loopback address', { apiSecret: SECRET, apiHost: 'http://127.0.1.1:4010' }],
    ['IPv6 loopback', { apiSecret: SECRET, apiHost: 'http://[::1]:4010' }],
    [
      'allowInsecure',
      { apiSecret: SECRET, apiHost: 'http://berbix.internal', allowInsecure: true },
    ],
    [
      'a whole call shorter than the default of an attempt',
      { apiSecret: SECRET, totalTimeoutMs: 400 },
    ],
    ['two times that are equal', { apiSecret: SECRET, timeoutMs: 400, totalTimeoutMs: 400 }],
    ['no retries', { apiSecret: SECRET, retry: 0 }],
    [
      'undefined everywhere',
      {
        apiSecret: SECRET,
        apiHost: undefined,
        timeoutMs: undefined,
        retry: undefined,
        http: undefined,
      },
    ],
  ])('%s', async (_what, options) => {
    expect(await boot(options)).toBeInstanceOf(BerbixTokenService);
  });
});
