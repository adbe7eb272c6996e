import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { BerbixWebhookService, InMemoryTokenStore } from 'nestjs-berbix';
import { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { firstValueFrom, type Observable } from 'rxjs';
import { changed } from '../support/changed-store.js';
import { servicesFor, startSandbox, startServices } from '../support/services.js';
import { quietNest } from '../support/sinks.js';

quietNest();

interface Message {
  file: string;
  text: string;
  kind: string;
}

const { messagesOf, sources, withLists } = (await import(
  pathToFileURL(resolve('scripts/messages.mjs')).href
)) as {
  messagesOf: (files: Map<string, string>) => Message[];
  sources: () => Map<string, string>;
  withLists: (page: string, messages: Message[]) => string;
};

const page = readFileSync('docs/messages.md', 'utf8');
const listed = [...page.matchAll(/^- (`{1,2})(.*)\1$/gm)].map(([, , text = '']) => text);

describe('docs/messages.md', () => {
  it('has every message of the package, and no other: run `npm run docs:messages`', () => {
    const messages = messagesOf(sources());
    const texts = new Set(messages.map(({ text }) => text));
    expect(messages.filter(({ text }) => !listed.includes(text))).toEqual([]);
    expect(listed.filter((text) => !texts.has(text))).toEqual([]);
    expect(withLists(page, messages)).toBe(page);
  });

  it('refuses a file with messages that no section names', () => {
    const messages = messagesOf(new Map([['lib/new/file.ts', "throw new Error('It is new.')"]]));
    expect(() => withLists(page, messages)).toThrow('lib/new/file.ts');
  });
});

describe('docs/operations.md', () => {
  it('explains every warning and error in the log of an application', () => {
    const explained = [
      ...readFileSync('docs/operations.md', 'utf8').matchAll(/^- `([^`]{12,})`/gm),
    ];
    const logged = messagesOf(sources()).filter(
      ({ file, kind }) =>
        /^(?:Warnings|Errors) in/.test(kind) && !/^(?:lib\/sandbox|schematics)\//.test(file),
    );
    expect(logged.length).toBeGreaterThan(20);
    const missing = logged.filter(
      ({ text }) => !explained.some(([, beginning = '']) => text.startsWith(beginning)),
    );
    expect(missing).toEqual([]);
  });
});

/** Whether a text contains an entry, with something or nothing for each of its "…". */
function isListed(text: string): boolean {
  return listed.some((entry) => {
    const parts = entry.split('…').map((part) => part.replaceAll(/[^\w\s]/g, String.raw`\$&`));
    return parts.join('').length > 20 && new RegExp(parts.join('[^]*')).test(text);
  });
}

const rejected = (result: Observable<unknown> | Promise<unknown>): Promise<Error> =>
  (result instanceof Promise ? result : firstValueFrom(result)).then(
    () => new Error('It did not fail.'),
    (error: Error) => error,
  );

describe('the text of an error is found there', () => {
  it.each<[string, () => Promise<Error>]>([
    ['a missing option', () => rejected(startServices({ apiSecret: '' }))],
    [
      'a misspelled option',
      () => rejected(startServices({ apiSecret: 'secret_test_a', timeout: 1 } as never)),
    ],
    [
      'an option out of range',
      () => rejected(startServices({ apiSecret: 'secret_test_a', timeoutMs: 0 })),
    ],
    [
      'an empty refresh token',
      async () =>
        rejected((await startServices({ apiSecret: 'secret_test_a' })).tokens.refresh('')),
    ],
    [
      'an unknown customer',
      async () => {
        const { tokens } = await startServices({ apiSecret: 'secret_test_a' });
        return rejected(tokens.fresh({ customerUid: 'nobody' }));
      },
    ],
    [
      'another API secret',
      async () => {
        const apiSecret = 'secret_test_other';
        const { tokens } = await servicesFor(await startSandbox(), { apiSecret });
        return rejected(tokens.refresh('rt_any'));
      },
    ],
    [
      'an API that is down',
      async () => {
        const { tokens } = await startServices({
          apiSecret: 'secret_test_a',
          apiHost: 'http://127.0.0.1:9',
          retry: 0,
        });
        return rejected(tokens.refresh('rt_any'));
      },
    ],
    [
      'an answer that is not from Berbix',
      async () => {
        const sandbox = await startSandbox();
        sandbox.faults.add({ kind: 'answer', body: { access_token: 1 } });
        return rejected((await servicesFor(sandbox)).tokens.refresh('rt_any'));
      },
    ],
    [
      'a forged webhook',
      async () => {
        const webhooks = { finished: 'whsec_a' };
        const { module } = await startServices({ apiSecret: 'secret_test_a', webhooks });
        const header = `v0,1,${'0'.repeat(64)}`;
        const rawBody = '{}';
        return rejected(
          module.get(BerbixWebhookService).verify({ kind: 'finished', header, rawBody }),
        );
      },
    ],
    ['an option of the sandbox', () => rejected(BerbixSandbox.start({ port: -1 }))],
  ])('%s', async (_, fail) => {
    const { message } = await fail();
    expect({ message, isListed: isListed(message) }).toEqual({ message, isListed: true });
  });
});

it('finds the warnings of a start there', async () => {
  const warn = jest.spyOn(Logger.prototype, 'warn').mockReturnValue();
  const { module } = await startServices({
    apiSecret: 'secret_test_a',
    store: changed(new InMemoryTokenStore(), { shared: true }),
    webhooks: { finished: 'whsec_a' },
  });
  await module.init();
  const warnings = warn.mock.calls.map(([text]) => text);
  expect(warnings).toHaveLength(2);
  expect(warnings.filter((text) => !isListed(String(text)))).toEqual([]);
});
