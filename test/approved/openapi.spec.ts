import { describe, it } from '@jest/globals';
import { createReferenceDocument } from '../../lib/sandbox/openapi/document.js';
import { type OpenApiDocument, PLACEHOLDERS } from '../../lib/sandbox/openapi/model.js';
import { routesOf } from '../sandbox/support/reference.js';
import { startSandbox } from '../support/services.js';
import { expectApproved } from './support/approved.js';
import { OTHER_HEADERS } from './support/conversation.js';

/** The samples are in files of their own. */
function textOf(document: object): string {
  const isShown = (name: string, value: unknown): unknown =>
    name === 'x-codeSamples' ? undefined : value;
  return `${JSON.stringify(document, isShown, 2)}\n`;
}

describe('the OpenAPI document', () => {
  it('describes the API', () => {
    const { info, ...document } = createReferenceDocument(PLACEHOLDERS);
    const released = { ...info, version: '{version}' };
    expectApproved('openapi/api.json', textOf({ info: released, ...document }));
  });

  it('describes the control API of a sandbox', async () => {
    const { url } = await startSandbox();
    const answer = await fetch(`${url}/reference/openapi.json`);
    const { servers, tags, paths } = (await answer.json()) as OpenApiDocument;
    const control = Object.entries(paths).filter(([path]) => path.startsWith('/sandbox'));
    expectApproved(
      'openapi/control.json',
      textOf({ servers, tags, paths: Object.fromEntries(control) }),
    );
  });

  it('is on a page of its own', async () => {
    const { url } = await startSandbox();
    const page = await fetch(`${url}/reference`);
    const kept = [...page.headers].filter(([name]) => !OTHER_HEADERS.has(name));
    const head = [`${page.status}`, ...kept.map(([name, value]) => `${name}: ${value}`)];
    expectApproved('openapi/page.txt', `${head.join('\n')}\n\n${await page.text()}`);
  });

  const document = createReferenceDocument(PLACEHOLDERS);
  const operations = [
    ...routesOf(document).map(({ operation }) => operation),
    ...Object.values(document.webhooks).map(({ post }) => post),
  ];
  const languages = new Set(
    operations.flatMap((operation) => operation['x-codeSamples'] ?? []).map(({ label }) => label),
  );

  it.each([...languages])('has samples for %s', (language) => {
    const samples = operations.map((operation) => {
      const sample = operation['x-codeSamples']?.find(({ label }) => label === language);
      return `# ${operation.operationId} (${sample?.lang})\n\n${sample?.source}\n`;
    });
    expectApproved(`openapi/samples/${language}.txt`, samples.join('\n'));
  });
});
