import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { ConsoleLogger, Controller, Get, Inject, type Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import {
  BerbixModule,
  BerbixTokenService,
  BerbixTransactionService,
  type BerbixTokens,
} from 'nestjs-berbix';
import type { SandboxFault } from 'nestjs-berbix/sandbox';
import { sampleTokens } from 'nestjs-berbix/testing';
import { Observable, firstValueFrom } from 'rxjs';
import { Agent } from 'undici';
import { closeAfterTest } from '../support/closing.js';
import { errorOf } from '../support/errors.js';
import { PLATFORMS, listen } from '../support/platforms.js';
import { listening, servicesFor, startSandbox, startServices } from '../support/services.js';
import { captureOutput, everyViewOf } from '../support/sinks.js';
import { until } from '../support/until.js';
import { tracesOf } from '../token-store/support/encryption.js';

const API_SECRET = 'secret_test_CANARYsecret0123456789';
const REFRESH_TOKEN = 'rt_CANARYrefresh0123456789';
const CANARIES = [
  API_SECRET,
  REFRESH_TOKEN,
  'at_CANARYaccess',
  'ct_CANARYclient',
  'rt_CANARYnew',
  Buffer.from(`${API_SECRET}:`).toString('base64'),
  Buffer.from(`${API_SECRET}:`).toString('base64').slice(4, 30),
  Buffer.from(REFRESH_TOKEN).toString('base64').slice(4, 24),
  Buffer.from(REFRESH_TOKEN).toString('hex'),
];

const TOKENS = {
  access_token: 'at_CANARYaccess',
  client_token: 'ct_CANARYclient',
  refresh_token: 'rt_CANARYnew',
};
const ECHO = `no such token\r\n[Nest] forged line\u2028${REFRESH_TOKEN} for ${API_SECRET} (Basic ${CANARIES[5]}); ${REFRESH_TOKEN}, ${API_SECRET}, x${REFRESH_TOKEN}x`;

/** The texts in a value. */
function valuesIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return Object.values(value ?? {}).flatMap(valuesIn);
}

const decoded = (base64: string): string => Buffer.from(base64, 'base64').toString();

/** Ways to fail with a secret nearby: in the request, in the answer, or quoted back. */
const FAULTS: [string, SandboxFault][] = [
  [
    'quoting 400',
    { kind: 'status', status: 400, message: ECHO, readable: `${REFRESH_TOKEN}\nforged` },
  ],
  [
    'quoting 401',
    { kind: 'status', status: 401, message: ECHO, readable: 'invalid_refresh_token' },
  ],
  [
    'quoting 409',
    { kind: 'answer', status: 409, body: { next_step: REFRESH_TOKEN, message: ECHO } },
  ],
  ['quoting 410', { kind: 'status', status: 410, message: ECHO }],
  ['quoting 429', { kind: 'status', status: 429, message: ECHO }],
  ['quoting 500', { kind: 'status', status: 500, message: ECHO }],
  ['tokens in an error', { kind: 'answer', status: 500, body: TOKENS }],
  ['mistyped answer', { kind: 'answer', body: { ...TOKENS, expires_in: 0 } }],
  ['tokens cut off', { kind: 'answer', body: JSON.stringify(TOKENS).slice(0, -3) }],
  ['quoting page', { kind: 'answer', body: `<html>${ECHO}</html>` }],
  [
    'quoting headers',
    {
      kind: 'answer',
      status: 500,
      body: '',
      headers: { 'x-request-id': REFRESH_TOKEN, 'content-type': API_SECRET },
    },
  ],
  ['reset', { kind: 'reset' }],
  ['hang', { kind: 'hang' }],
  ['truncated', { kind: 'truncate', processed: true }],
  ['flood', { kind: 'flood', bytes: 1e9 }],
];

function expectNoSecret(text: string): void {
  expect(CANARIES.filter((canary) => text.includes(canary))).toEqual([]);
}

@Controller()
class RefreshController {
  constructor(@Inject(BerbixTokenService) private readonly tokens: BerbixTokenService) {}

  @Get()
  refresh(): Observable<BerbixTokens> {
    return this.tokens.refresh(REFRESH_TOKEN);
  }
}

describe('no secret is visible', () => {
  it.each(FAULTS)(
    'in the error, its stack, its representations and its logs: %s',
    async (_what, fault) => {
      const sandbox = await startSandbox({ apiSecret: API_SECRET });
      const { tokens } = await servicesFor(sandbox, { timeoutMs: 300 });
      sandbox.faults.add(fault);
      const error = await errorOf(tokens.refresh(REFRESH_TOKEN));
      const views = await everyViewOf(error);
      expect(views).toContain(error.code);
      expectNoSecret(views);
      expect(error.cause).toBeUndefined();
      // One line: a quoted line break would forge a line in the log.
      expect(`${error.message}${error.readable}`).not.toMatch(/[\r\n\u2028]/);
    },
  );

  it('in the error of an API that quotes it as in a URL', async () => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox);
    const token = 'rt+CANARY/refresh==';
    const quoted = `no token=${encodeURIComponent(token)} or ${token}.`;
    sandbox.faults.add({ kind: 'status', status: 400, message: quoted });
    const { message } = await errorOf(tokens.refresh(token));
    expect(message).toMatch(/"no token=\[redacted\] or \[redacted\]\."$/);
  });

  it("in what Berbix says of a creation: the customer's uid and data", async () => {
    const sandbox = await startSandbox();
    const { transactions } = await servicesFor(sandbox);
    const message =
      'Customer 42 (ADA KING, 1815-12-10, ada@example.com, %2B44%2020, (+44 20)), 142 of 422: by ALAN.';
    sandbox.faults.add({
      kind: 'answer',
      status: 400,
      body: { message, readable: 'customer_42' },
      headers: { 'x-request-id': 'req422' },
    });
    const error = await errorOf(
      transactions.createHosted({
        customerUid: '42',
        templateKey: 't',
        email: 'ada@example.com',
        phone: '+44 20',
        matchData: {
          givenName: 'Ada',
          middleName: 'Al',
          familyName: 'King',
          dateOfBirth: '1815-12-10',
        },
      }),
    );
    expect(error.message).toContain(
      '"Customer [redacted] ([redacted] [redacted], [redacted], [redacted], [redacted], ([redacted])), 142 of 422: by ALAN."',
    );
    expect(error).toMatchObject({ readable: 'customer_[redacted]', requestId: 'req422' });
  });

  /** A text of a person that every escape changes. */
  const CANARY = String.raw`o"CANARY\ned\ <é> 100%41%\\ + 🙂`;
  const CREATION = {
    customerUid: `${CANARY}uid`,
    templateKey: 'tmpl',
    email: 'CANARY@example.org',
    phone: `+44 ${CANARY}`,
    matchData: {
      givenName: `${CANARY}given`,
      middleName: `${CANARY}middle`,
      familyName: `${CANARY}family`,
      dateOfBirth: '1815-12-10',
      idExpiryDate: '2031-12-10',
    },
  };
  const UPLOAD = Buffer.from('CANARY 1815-12-10');
  type Operation = keyof BerbixTransactionService;
  const OPERATIONS: Record<Operation, (of: BerbixTransactionService) => Observable<unknown>> = {
    create: (of) => of.create(CREATION),
    createHosted: (of) =>
      of.createHosted({
        ...CREATION,
        completionEmail: 'CANARY@example.com',
        redirectUrl: 'https://bank.example/return?session=CANARY&user=a%20b',
      }),
    createApiOnly: (of) => of.createApiOnly({ ...CREATION, idCountry: 'US', idType: 'DL' }),
    fetch: (of) => of.fetch(sampleTokens()),
    update: (of) => of.update(sampleTokens(), { action: 'reject', note: `\n${CANARY}\t.` }),
    override: (of) =>
      of.override(sampleTokens(), {
        responsePayload: 'us-dl',
        flags: ['id_expired'],
        overrideFields: { given_name: CANARY, action: `${CANARY}2` },
      }),
    delete: (of) => of.delete(sampleTokens()),
    uploadImages: (of) =>
      of.uploadImages(sampleTokens(), [
        { imageSubject: 'document_front', data: UPLOAD, extractedBarcode: UPLOAD },
      ]),
    uploadIdScan: (of) => of.uploadIdScan(sampleTokens(), UPLOAD),
  };
  const inAscii = (text: string): string =>
    text.replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const inForm = (text: string): string => String(new URLSearchParams({ text }));
  const FORMS: [string, (body: string) => string][] = [
    ['as it was sent', (body) => body],
    ['in JSON', (body) => JSON.stringify(body)],
    ['in JSON twice', (body) => JSON.stringify(JSON.stringify(body))],
    ['in ASCII', inAscii],
    ['in JSON in ASCII', (body) => inAscii(JSON.stringify(body))],
    ['in a URL', encodeURIComponent],
    ['in a URL twice', (body) => encodeURIComponent(encodeURIComponent(body))],
    ['in a form', inForm],
    ['in JSON in a form', (body) => inForm(JSON.stringify(body))],
    ['as its values', (body) => valuesIn(JSON.parse(body)).join(', ')],
    ['as its values in a form', (body) => inForm(valuesIn(JSON.parse(body)).join())],
    ['decoded', (body) => valuesIn(JSON.parse(body)).map(decoded).join()],
  ];

  it.each(FORMS)('in what Berbix says of any operation, if it quotes it %s', async (_, quote) => {
    // A long message is shortened, so one value is quoted at a time.
    let [nth, count] = [0, 1];
    const quoting = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => (body += part));
      request.on('end', () => {
        const values = body === '' ? ['no body'] : valuesIn(JSON.parse(body));
        count = values.length;
        const message = quote(JSON.stringify({ name: values[nth] }));
        response.writeHead(400).end(JSON.stringify({ message, readable: 'bad' }));
      });
    });
    const apiHost = await listening(quoting);
    const { transactions } = await startServices({ apiSecret: API_SECRET, apiHost });
    for (const call of Object.values(OPERATIONS)) {
      for (nth = 0; nth < count; nth++) {
        const error = await errorOf(call(transactions));
        expect(error).toMatchObject({ code: 'BERBIX_REQUEST', readable: 'bad' });
        expect(error.message).not.toMatch(/canary|1815|2031|bank/i);
        expect(error.message).not.toMatch(/(?<![A-Z])(US|DL)(?![A-Z])/);
        expect(error.message).not.toContain(UPLOAD.toString('base64').slice(4, 12));
      }
      count = 1;
    }
  });

  it('of all operations', () => {
    const { constructor: _, ...methods } = Object.getOwnPropertyDescriptors(
      BerbixTransactionService.prototype,
    );
    expect(Object.keys(OPERATIONS).toSorted()).toEqual(Object.keys(methods).toSorted());
  });

  it.each(PLATFORMS)("in what Nest's own filter logs and answers on %s", async (platform) => {
    const sandbox = await startSandbox({ apiSecret: API_SECRET });
    const url = await listen(
      Test.createTestingModule({
        imports: [
          BerbixModule.forRoot({
            apiSecret: API_SECRET,
            apiHost: sandbox.url,
            retry: 0,
            timeoutMs: 300,
          }),
        ],
        controllers: [RefreshController],
      }),
      platform,
      (app) => app.useLogger(new ConsoleLogger()),
    );
    for (const [, fault] of FAULTS) {
      sandbox.faults.add(fault);
      let answer = '';
      const logged = await captureOutput(async () => {
        const response = await fetch(url);
        expect(response.status).toBe(500);
        answer = await response.text();
      });
      expect(logged).toContain('ExceptionsHandler');
      expectNoSecret(logged);
      expectNoSecret(answer);
    }
  });

  it('in the services, the module, the application, or their properties', async () => {
    const sandbox = await startSandbox({ apiSecret: API_SECRET });
    const dynamicModule = BerbixModule.forRoot({ apiSecret: API_SECRET, apiHost: sandbox.url });
    const module = await Test.createTestingModule({ imports: [dynamicModule] }).compile();
    const app = module.createNestApplication();
    await app.init();
    const tokens = app.get(BerbixTokenService);
    const inFlight = tokens.refresh(REFRESH_TOKEN).subscribe({ error: () => {} });
    for (const value of [tokens, dynamicModule, module]) {
      expectNoSecret(inspect(value, { depth: 12 }));
    }
    // Deeper, its text has 100 MB, of what the module has shown already.
    expectNoSecret(inspect(app, { depth: 8 }));
    expectNoSecret(JSON.stringify(dynamicModule));
    expectNoSecret(JSON.stringify(tokens));
    inFlight.unsubscribe();
    await app.close();
  });

  it('in options from an asynchronous factory', async () => {
    class OptionsFactory {
      createBerbixOptions(): { apiSecret: string } {
        return { apiSecret: API_SECRET };
      }
    }
    for (const options of [
      { useFactory: () => ({ apiSecret: API_SECRET }) },
      { useClass: OptionsFactory },
      { useExisting: OptionsFactory, extraProviders: [OptionsFactory as Type] },
    ]) {
      const module = await Test.createTestingModule({
        imports: [BerbixModule.forRootAsync(options)],
      }).compile();
      expectNoSecret(inspect(module, { depth: 12 }));
      const kept: unknown = module.get(Symbol.for('berbix:options'), { strict: false });
      expectNoSecret(inspect(kept) + JSON.stringify(kept));
      await module.close();
    }
  });

  it('in the providers of the module: an encryption key', async () => {
    const key = randomBytes(32).toString('base64');
    const module = await Test.createTestingModule({
      imports: [
        BerbixModule.forRoot({
          apiSecret: API_SECRET,
          encryption: { keys: { k1: key }, current: 'k1' },
        }),
      ],
    }).compile();
    const all = { showHidden: true, maxStringLength: null, maxArrayLength: null, getters: true };
    let seen = '';
    for (const { name, providers } of module.get(ModulesContainer).values()) {
      if (name !== 'BerbixModule') continue;
      for (const { instance } of providers.values())
        seen += inspect(instance, { ...all, depth: 4 });
    }
    expect(seen).toContain('BerbixTokenService');
    for (const trace of tracesOf(key)) expect(seen).not.toContain(trace);
    await module.close();
  });

  it('in options that are inspected during a request, with hidden properties', async () => {
    const sandbox = await startSandbox({ apiSecret: API_SECRET });
    const dispatcher = new Agent();
    closeAfterTest(() => dispatcher.close());
    const webhooks = { finished: API_SECRET };
    const proxy = `http://user:${API_SECRET}@127.0.0.1:9`;
    sandbox.faults.add({ kind: 'hang' });
    for (const http of [{ dispatcher }, { proxy }]) {
      const { module, tokens } = await servicesFor(sandbox, { http, webhooks });
      const inFlight = tokens.refresh(REFRESH_TOKEN).subscribe({ error: () => {} });
      if ('dispatcher' in http) await until(() => sandbox.requests.length === 1);
      const kept: unknown = module.get(Symbol.for('berbix:options'), { strict: false });
      const all = { showHidden: true, maxStringLength: null, maxArrayLength: null };
      expectNoSecret(inspect(kept, { ...all, getters: true, depth: null }));
      expectNoSecret(inspect(module, { ...all, depth: 6 }));
      inFlight.unsubscribe();
    }
  });

  it("in the error of the application's interceptor, which contains the request", async () => {
    const sandbox = await startSandbox({ apiSecret: API_SECRET });
    const { tokens } = await servicesFor(sandbox, {
      http: {
        configureAxios: (axios) =>
          axios.interceptors.response.use((response) => {
            throw Object.assign(new Error(`bad ${ECHO}`), {
              config: response.config,
              code: REFRESH_TOKEN,
            });
          }),
      },
    });
    const error = await errorOf(tokens.refresh(REFRESH_TOKEN));
    expect(error).toMatchObject({ code: 'BERBIX_CONNECTION', retryable: false });
    expectNoSecret(await everyViewOf(error));
  });

  it('in the error of a secret function that fails, or returns an invalid secret', async () => {
    for (const provide of [
      () => Promise.reject(new Error(`cannot use ${API_SECRET}`)),
      () => `${API_SECRET}\n`,
      () => `${API_SECRET}:x`,
      () => ({ secret: API_SECRET }) as never,
    ]) {
      const { tokens } = await startServices({
        apiSecret: provide,
        apiHost: 'http://127.0.0.1:9',
        retry: 0,
      });
      const error = await errorOf(tokens.refresh(REFRESH_TOKEN));
      expect(error.code).toBe('BERBIX_CONFIGURATION');
      expect(error.message).toContain('apiSecret');
      expectNoSecret(await everyViewOf(error));
    }
  });

  it('in the error of a call with a secret that is replaced meanwhile', async () => {
    const waiting: (() => void)[] = [];
    const server = createServer(({ headers: { authorization = '' } }, response) => {
      const secret = Buffer.from(authorization.slice('Basic '.length), 'base64').toString();
      const answer = (): void => {
        response.statusCode = 400;
        response.end(JSON.stringify({ message: `no account for ${authorization}, ${secret}` }));
      };
      // The call with the old secret is answered after the one with the new secret.
      if (secret.startsWith(API_SECRET)) waiting.push(answer);
      else answer();
    });
    const secrets = [API_SECRET, 'secret_test_new'];
    const { tokens } = await startServices({
      apiSecret: () => secrets.shift() ?? '',
      apiHost: await listening(server),
    });
    const first = errorOf(tokens.refresh('rt_one'));
    await until(() => waiting.length === 1);
    const second = await errorOf(tokens.refresh('rt_two'));
    waiting[0]?.();
    for (const error of [await first, second]) {
      expect(error.message).toContain('no account for Basic [redacted], [redacted]');
      expectNoSecret(await everyViewOf(error));
    }
  });

  it('in the tokens, unless a property is read', async () => {
    const sandbox = await startSandbox({ apiSecret: API_SECRET });
    const { tokens } = await servicesFor(sandbox);
    sandbox.faults.add({ kind: 'answer', body: { ...TOKENS, expires_in: 60, transaction_id: 5 } });
    const answered = await firstValueFrom(tokens.refresh(REFRESH_TOKEN));
    expect(answered.accessToken).toBe('at_CANARYaccess');
    expectNoSecret(
      [
        inspect(answered, { depth: null, showHidden: true }),
        JSON.stringify(answered),
        String(answered),
      ].join(),
    );
  });
});
