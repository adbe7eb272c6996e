import { inspect } from 'node:util';
import { describe, it } from '@jest/globals';
import {
  BerbixModule,
  type BerbixModuleOptions,
  BerbixTokenService,
  BerbixTransactionService,
  BerbixVerificationService,
} from 'nestjs-berbix';
import { firstValueFrom, type Observable } from 'rxjs';
import { startModule, startSandbox } from '../support/services.js';
import { expectApproved } from './support/approved.js';

const DAY_MS = 86_400_000;
const REQUIRED = { apiSecret: 'secret_test_any' };
const OF_CREATION = { customerUid: 'ada', templateKey: 'tpk_any' };

/** Values of another type, and at the limits of the right one. */
const WRONG = [null, '', 'x', {}, { other: 1 }, [], true, () => 1];
const NUMBERS = [-1, 0, 1, 1.5, DAY_MS, DAY_MS + 1, Infinity];

/** Options of the module by their paths, and what else they are tried with. */
const OPTIONS: Record<string, unknown[]> = {
  apiSecret: ['a:b', 'a b'],
  apiHost: ['https://host/path', 'http://host', 'http://localhost', 'https://a:b@host'],
  timeoutMs: NUMBERS,
  totalTimeoutMs: NUMBERS,
  retry: NUMBERS,
  'retry.limit': [...NUMBERS, 10, 11],
  'retry.backoffLimit': NUMBERS,
  http: [],
  'http.connections': [...NUMBERS, 1_000, 1_001],
  'http.ca': [],
  'http.extraCa': [],
  'http.cert': [],
  'http.key': [],
  'http.proxy': ['environment', 'ftp://host', 'http://host'],
  'http.dispatcher': [],
  'http.configureAxios': [],
  allowInsecure: [],
  store: [],
  allowInMemoryStore: [],
  storeTimeoutMs: NUMBERS,
  encryption: [],
  'encryption.keys': [],
  loadTokens: [],
  onRotation: [],
  freshness: [],
  'freshness.rotation': ['none', 'strict'],
  'freshness.rotation.graceMs': NUMBERS,
  'freshness.leaseMs': [...NUMBERS, 30_000],
  'freshness.cacheSize': NUMBERS,
  webhooks: [],
  'webhooks.finished': ['secret'],
  'webhooks.status': ['secret'],
  'webhooks.toleranceMs': NUMBERS,
  'webhooks.leaseMs': [...NUMBERS, 10_000],
  'webhooks.confirmUnhandled': [],
};

interface Services {
  tokens: BerbixTokenService;
  transactions: BerbixTransactionService;
  verification: BerbixVerificationService;
}

type Call = (services: Services, argument: never) => Observable<unknown>;

/** Calls with one argument, and what it is tried with. */
const CALLS: Record<string, [Call, unknown[]]> = {
  refresh: [({ tokens }, argument) => tokens.refresh(argument), ['a\nb', 'a'.repeat(5_000)]],
  fresh: [({ tokens }, argument) => tokens.fresh(argument), [{ customerUid: '' }]],
  'options of fresh': [
    ({ tokens }, argument) => tokens.fresh('rt_any', argument),
    [{ leewayMs: 'x' }, { leewayMs: -1 }, { refused: 1 }, { timeoutMs: 0 }, { signal: 1 }],
  ],
  remember: [
    ({ tokens }, argument) => tokens.remember(argument),
    [{ refreshToken: 1 }, { refreshToken: 'rt_any', transactionId: 'x' }, { customerUid: 'ada' }],
  ],
  forget: [({ tokens }, argument) => tokens.forget(argument), [{ transactionId: 'x' }]],
  create: [
    ({ transactions }, argument) => transactions.create(argument),
    [
      { customerUid: 'ada' },
      { templateKey: 'tpk_any' },
      { ...OF_CREATION, customerUid: 'a'.repeat(300) },
      { ...OF_CREATION, email: 1, phone: 2, consentsToAutomatedFacialRecognition: 3, matchData: 4 },
      { ...OF_CREATION, matchData: { givenName: 1, addresses: 'x' } },
      { ...OF_CREATION, completionEmail: 'ada@example.com' },
    ],
  ],
  createHosted: [
    ({ transactions }, argument) => transactions.createHosted(argument),
    [{ ...OF_CREATION, completionEmail: 1, redirectUrl: 'x' }],
  ],
  createApiOnly: [
    ({ transactions }, argument) => transactions.createApiOnly(argument),
    [{ ...OF_CREATION, idCountry: 'USA', idType: 'x' }],
  ],
  update: [
    ({ transactions }, argument) => transactions.update('rt_any', argument),
    [{ action: 1 }, { action: 'accept', note: 1 }],
  ],
  override: [
    ({ transactions }, argument) => transactions.override('rt_any', argument),
    [{ responsePayload: 1 }, { responsePayload: 'us-dl', flags: 'x', overrideFields: 1 }],
  ],
  uploadImages: [
    ({ transactions }, argument) => transactions.uploadImages('ct_any', argument),
    [[{}], [{ imageSubject: 'x', data: 1 }], [{ imageSubject: 'document_front', data: '' }]],
  ],
  begin: [
    ({ verification }, argument) => verification.begin('ada', argument),
    [
      { templateKey: 1 },
      { templateKey: 'tpk_any', kind: 'x' },
      { templateKey: 'tpk_any', again: 'x' },
      { templateKey: 'tpk_any', other: 1 },
    ],
  ],
  result: [({ verification }, argument) => verification.result(argument), ['a'.repeat(300)]],
};

describe('what is said of a wrong value', () => {
  it('names the option of the module', async () => {
    const texts: string[] = [];
    for (const [path, values] of Object.entries(OPTIONS)) {
      texts.push(
        await outcomes(path, [...WRONG, ...values], (value) => boot(withValue(path, value))),
      );
    }
    expectApproved('inputs/options.txt', texts.join('\n'));
  });

  it('names the argument of the call', async () => {
    const { url, apiSecret } = await startSandbox();
    const module = await startModule(BerbixModule.forRoot({ apiSecret, apiHost: url, retry: 0 }));
    const services = {
      tokens: module.get(BerbixTokenService),
      transactions: module.get(BerbixTransactionService),
      verification: module.get(BerbixVerificationService),
    };
    const texts: string[] = [];
    for (const [name, [call, values]] of Object.entries(CALLS)) {
      const attempt = async (value: unknown): Promise<unknown> =>
        firstValueFrom(call(services, value as never));
      texts.push(await outcomes(name, [undefined, 1, ...WRONG, ...values], attempt));
    }
    expectApproved('inputs/arguments.txt', texts.join('\n'));
  });
});

/** What becomes of each value; those with the same outcome stand together. */
async function outcomes(
  name: string,
  values: unknown[],
  attempt: (value: unknown) => Promise<unknown>,
): Promise<string> {
  const byOutcome = new Map<string, string[]>();
  for (const value of values) {
    const outcome = await attempt(value).then(
      () => 'taken',
      // How long until it is asked again differs.
      (error: Error) => error.message.replace(/in \d+ s\b/, 'in {seconds} s'),
    );
    byOutcome.set(outcome, [...(byOutcome.get(outcome) ?? []), shorten(inspect(value))]);
  }
  const lines = [...byOutcome].map(([outcome, shown]) => `${shown.join(', ')}\n    ${outcome}`);
  return `# ${name}\n${lines.join('\n')}\n`;
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 20)}...` : text;
}

function withValue(path: string, value: unknown): object {
  const [first = '', ...rest] = path.split('.');
  return { [first]: rest.length === 0 ? value : withValue(rest.join('.'), value) };
}

async function boot(options: object): Promise<void> {
  const module = BerbixModule.forRoot({ ...REQUIRED, ...options } as BerbixModuleOptions);
  const started = await startModule(module);
  await started.close();
}
