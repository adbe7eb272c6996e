import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import * as berbix from 'berbix';
import {
  BerbixTokens,
  BerbixTokenService,
  BerbixTransactionService,
  BerbixWebhookService,
} from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { start } from '../../examples/docs/create.js';
import { Customers } from '../../examples/docs/customers.js';
import { actionFor } from '../../examples/docs/fetch.js';
import { resume } from '../../examples/docs/refresh.js';
import { uploadFront } from '../../examples/docs/upload.js';
import { startBoth } from '../conformance/support/official-sdk.js';
import { SDKS, SDK_SURFACE, type Capability, type Sdk } from '../conformance/sdk-surface.js';
import { quietNest } from '../support/sinks.js';
import { servicesFor, startSandbox } from '../support/services.js';

quietNest();

const PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CODE_OF_CONDUCT.md'].concat(
  filesIn('docs').filter((file) => file.endsWith('.md')),
);
const SOURCES = ['examples/docs', 'examples/readme'].flatMap((folder) =>
  filesIn(folder).map((file) => readFileSync(file, 'utf8')),
);

/** Paths from the root of the repository. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}

const pageOf = (file: string): string => readFileSync(file, 'utf8');

/** The matches of a pattern in each page; pages without a match have no test. */
const foundIn = (pattern: RegExp): [file: string, found: RegExpExecArray[]][] =>
  PAGES.map((file): [string, RegExpExecArray[]] => [
    file,
    [...pageOf(file).matchAll(pattern)],
  ]).filter(([, found]) => found.length > 0);

describe('a page', () => {
  it.each(foundIn(/^ *```(?:ts|typescript|tsx)\b.*\n([^]*?)^ *```$/gm))(
    'shows code that is compiled and run here: %s',
    (_, blocks) => {
      for (const [, code] of blocks) expect(SOURCES).toContain(code);
    },
  );

  it.each(foundIn(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g))(
    'links to existing targets: %s',
    (file, links) => {
      for (const [, path = '', anchor] of links) {
        const target = path === '' ? file : join(dirname(file), path);
        expect([path, existsSync(target)]).toEqual([path, true]);
        if (anchor === undefined) continue;
        const text = pageOf(target);
        const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
          (heading as string)
            .toLowerCase()
            .replaceAll(/[^\w -]/g, '')
            .replaceAll(' ', '-'),
        );
        const ids = [...text.matchAll(/<a id="(\w+)">/g)].map(([, id]) => id);
        expect([...headings, ...ids]).toContain(anchor);
      }
    },
  );
});

describe('the pages', () => {
  it('are all linked from the README', () => {
    const known = new Set<string>();
    const follow = (file: string): void => {
      if (known.has(file)) return;
      known.add(file);
      for (const [, path = ''] of pageOf(file).matchAll(/\]\((?!https?:)([^)#]+\.md)/g)) {
        follow(join(dirname(file), path));
      }
    };
    follow('README.md');
    expect(PAGES.filter((file) => !known.has(file))).toEqual([]);
  });
});

/** The rows of the table for an SDK, or of that for all SDKs, as pairs. */
function rowsFor(sdk: Sdk | undefined): [there: string, here: string][] {
  const before = sdk === undefined ? '## Method by method\n' : `<summary>${sdk}: `;
  const section =
    pageOf('docs/migrating.md')
      .split(before)[1]
      ?.split(/\n(?:#|<\/details>)/)[0] ?? '';
  return [...section.matchAll(/^\| (.+?) +\| (.+?) +\|$/gm)].map(([, there, here]) => [
    there as string,
    here as string,
  ]);
}

/** A counterpart as the page writes it. */
function written({ ours }: Capability): string {
  if ('option' in ours) return `\`${ours.option}\``;
  const names = {
    BerbixTransactionService: 'transactions',
    BerbixTokenService: 'tokenService',
    BerbixWebhookService: 'webhooks',
    BerbixTokens: ours.method === 'fromRefresh' ? 'BerbixTokens' : 'tokens',
  };
  return `\`${names[ours.on]}.${String(ours.method)}(`;
}

describe('docs/migrating.md', () => {
  it.each(SDKS)('has a counterpart for everything in the SDK for %s', (sdk) => {
    const rows = rowsFor(sdk);
    const has = Object.values(SDK_SURFACE).filter(({ names }) => names[sdk] !== undefined);
    expect(has.length).toBeGreaterThan(0);
    for (const capability of has) {
      const row = rows.find(
        ([there, here]) =>
          there.replaceAll('`', '') === capability.names[sdk] &&
          here.startsWith(written(capability)),
      );
      expect({ [String(capability.names[sdk])]: row }).not.toEqual({
        [String(capability.names[sdk])]: undefined,
      });
    }
    // Plus the heading and the line below it.
    expect(rows).toHaveLength(has.length + 2);
  });

  it('explains each counterpart once, for all SDKs', () => {
    // Without the heading and the line below it.
    const rows = rowsFor(undefined).slice(2);
    const missing = Object.values(SDK_SURFACE).filter(
      (capability) => !rows.some(([, here]) => here.startsWith(written(capability))),
    );
    expect(missing).toEqual([]);
    expect(rows).toHaveLength(Object.keys(SDK_SURFACE).length);
  });

  it('names methods that exist', () => {
    const classes = {
      BerbixTransactionService,
      BerbixTokenService,
      BerbixTokens,
      BerbixWebhookService,
    };
    for (const { ours } of Object.values(SDK_SURFACE)) {
      if ('option' in ours) continue;
      const owner = ours.method === 'fromRefresh' ? BerbixTokens : classes[ours.on].prototype;
      expect(typeof Reflect.get(owner, ours.method)).toBe('function');
    }
  });
});

/** The code for the official Node SDK, as functions of the names in it. */
function codeBefore(): ((...values: unknown[]) => Promise<unknown>)[] {
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor;
  return [...pageOf('docs/migrating.md').matchAll(/^```js\n([^]*?)^```$/gm)].map(
    ([, code]) => new AsyncFunction(...Object.keys(NAMES), `{ ${code} }`) as never,
  );
}

const NAMES = {
  client: {} as berbix.Client,
  berbix,
  customers: new Customers(),
  customerUid: 'ada',
  templateKey: '',
  tokens: {},
  jpeg: Buffer.from('a picture'),
};

describe('the code of docs/migrating.md', () => {
  it('does the same with the unmodified official SDK before the migration', async () => {
    const { sandbox, theirs } = await startBoth();
    const { sdk: templateKey, apiOnly } = sandbox.templateKeys;
    const tokens = await theirs.createApiOnlyTransaction({
      customerUid: 'ada',
      templateKey: apiOnly,
    });
    const values = Object.values({ ...NAMES, client: theirs, templateKey, tokens });
    const [create, refresh, fetch, upload] = codeBefore().map((code) => () => code(...values));
    expect(await create?.()).toMatchObject({ clientToken: expect.any(String) });
    expect(await refresh?.()).toMatchObject({ clientToken: expect.any(String) });
    expect(await fetch?.()).toBeUndefined();
    const path = '/v0/images/upload';
    sandbox.faults.add({ kind: 'answer', path, body: { next_step: 'upload_document_back' } });
    expect(await upload?.()).toBe('upload_document_back');
    const conflict = { next_step: 'done', message: 'That was all' };
    sandbox.faults.add({ kind: 'answer', status: 409, path, body: conflict });
    expect(await upload?.()).toBe('done');
  });

  it.each(['omit', 'echo', 'rotate'] as const)(
    'starts a verification, resumes it and fetches it: %s',
    async (refreshToken) => {
      const sandbox = await startSandbox({ refreshToken });
      const { transactions, tokens } = await servicesFor(sandbox);
      const customers = new Customers();
      const { sdk } = sandbox.templateKeys;
      const started = await firstValueFrom(start(transactions, customers, 'ada', sdk));
      expect(Object.keys(started).toSorted()).toEqual(['clientToken', 'expiresAt']);
      for (let visit = 0; visit < 2; visit++) {
        const resumed = await firstValueFrom(resume(tokens, customers, 'ada'));
        expect(resumed.clientToken).toBeTruthy();
        const action = await firstValueFrom(actionFor(transactions, customers, 'ada'));
        expect(action).toBeUndefined();
      }
    },
  );

  it('uploads', async () => {
    const sandbox = await startSandbox();
    const { transactions } = await servicesFor(sandbox);
    const { tokens, firstStep } = await firstValueFrom(
      transactions.createApiOnly({
        customerUid: 'ada',
        templateKey: sandbox.templateKeys.apiOnly,
      }),
    );
    expect(firstStep).toBe('upload_document_front');
    const path = '/v0/images/upload';
    const jpeg = Buffer.from('a picture');
    sandbox.faults.add({ kind: 'answer', path, body: { next_step: 'upload_document_back' } });
    expect(await firstValueFrom(uploadFront(transactions, tokens, jpeg))).toBe(
      'upload_document_back',
    );
    const conflict = { next_step: 'done', message: 'That was all' };
    sandbox.faults.add({ kind: 'answer', status: 409, path, body: conflict });
    expect(await firstValueFrom(uploadFront(transactions, tokens, jpeg))).toBe('done');
    const { images } = JSON.parse(sandbox.requests.last?.body ?? '') as { images: object[] };
    expect(images).toEqual([
      { image_subject: 'document_front', format: 'image/jpeg', data: jpeg.toString('base64') },
    ]);
  });
});
