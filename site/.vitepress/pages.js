import { posix } from 'node:path';

/** The pages that are not in docs/: their files, and their names on the site. */
const OTHER_PAGES = {
  'README.md': 'index.md',
  'CHANGELOG.md': 'changelog.md',
  'CONTRIBUTING.md': 'contributing.md',
  'SECURITY.md': 'reporting.md',
  'CODE_OF_CONDUCT.md': 'code-of-conduct.md',
  'lib/README.md': 'architecture.md',
  'lib/sandbox/README.md': 'sandbox-architecture.md',
  'test/renewal/README.md': 'proof.md',
  'examples/README.md': 'examples.md',
};

/** The name of a file on the site; undefined if it is no page of it. */
export function pageOf(file) {
  if (file in OTHER_PAGES) return OTHER_PAGES[file];
  if (file.startsWith('docs/') && file.endsWith('.md')) return file.slice('docs/'.length);
  // What TypeDoc writes.
  if (file.startsWith('site/api/')) return file.slice('site/'.length);
  return undefined;
}

/**
 * A link of a page as the site needs it. The files link to each other by their places in the
 * repository; where a link leads to a file that is no page, nothing is left of it.
 *
 * @param file the page with the link
 */
export function linkOf(file, link) {
  if (/^(?:[a-z]+:|#|\/)/.test(link)) return link;
  const [path = '', hash] = link.split('#', 2);
  const target = pageOf(posix.join(posix.dirname(file), path));
  if (target === undefined) return undefined;
  return `/${target}${hash === undefined ? '' : `#${hash}`}`;
}
