import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const config = readFileSync('site/.vitepress/config.ts', 'utf8');
const listed = [...config.matchAll(/link: '\/([^']*)'/g)].map(([, link = '']) => link);

const { linkOf, pageOf } = (await import(
  pathToFileURL(resolve('site/.vitepress/pages.js')).href
)) as {
  linkOf: (file: string, link: string) => string | undefined;
  pageOf: (file: string) => string | undefined;
};

describe('the site of the documentation', () => {
  it('lists every page of docs/', () => {
    const pages = readdirSync('docs', { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.md'))
      .map((file) => file.replaceAll('\\', '/').slice(0, -'.md'.length));
    expect(listed).toEqual(expect.arrayContaining(pages));
  });

  it('lists only pages that are there', () => {
    const files = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'];
    files.push('lib/README.md', 'lib/sandbox/README.md', 'test/renewal/README.md');
    files.push('examples/README.md');
    const others = files.filter(existsSync).map((file) => pageOf(file)?.slice(0, -'.md'.length));
    const missing = listed.filter((link) => link !== 'api/' && !existsSync(`docs/${link}.md`));
    expect(others).toEqual(expect.arrayContaining(missing));
  });

  it.each([
    ['docs/stores.md', 'encryption.md#keys', '/encryption.md#keys'],
    ['docs/verification/result.md', '../errors.md', '/errors.md'],
    ['README.md', 'lib/README.md', '/architecture.md'],
    ['README.md', '#development', '#development'],
    ['README.md', 'https://example.com/', 'https://example.com/'],
    ['README.md', 'LICENSE', undefined],
  ])('in %s, links %s to %s', (file, link, expected) => {
    expect(linkOf(file, link)).toBe(expected);
  });
});
