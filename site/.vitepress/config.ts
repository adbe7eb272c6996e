import { defineConfig } from 'vitepress';
import { linkOf, pageOf } from './pages.js';

/** The Markdown of the repository as a site: `npm run docs` builds it. */
export default defineConfig({
  title: 'nestjs-berbix',
  description:
    'Identity verification with Berbix for NestJS, and a local Berbix to develop against',
  lang: 'en',
  srcDir: '..',
  outDir: 'dist',
  cacheDir: '.vitepress/cache',
  srcExclude: ['node_modules/**', 'test/consumers/**', 'dist/**', 'build/**', '.github/**'],
  rewrites: (file) => pageOf(file) ?? `unlisted/${file}`,
  cleanUrls: true,
  // The index of the search has every page.
  vite: { build: { chunkSizeWarningLimit: 2_000 } },
  themeConfig: {
    search: {
      provider: 'local',
      options: {
        miniSearch: {
          searchOptions: {
            // A message that somebody pastes is searched for by its exact words.
            fuzzy: (_term, _index, terms) => (terms.length > 4 ? false : 0.2),
            prefix: (_term, _index, terms) => terms.length <= 4,
          },
        },
      },
    },
    outline: [2, 3],
    nav: [
      { text: 'Get started', link: '/getting-started' },
      { text: 'Sandbox', link: '/sandbox' },
      { text: 'API', link: '/api/' },
      { text: 'Architecture', link: '/architecture' },
    ],
    sidebar: [
      {
        text: 'Guide',
        items: [
          { text: 'Getting started', link: '/getting-started' },
          { text: 'Begin and resume', link: '/verification/begin-and-resume' },
          { text: 'Results', link: '/verification/result' },
          { text: 'Verify again', link: '/verification/re-verify' },
          { text: 'Webhooks', link: '/verification/webhooks' },
          { text: 'Erase', link: '/verification/erase' },
          { text: 'Guard', link: '/guard' },
          { text: 'Fresh tokens', link: '/fresh-tokens' },
          { text: 'Transactions', link: '/transactions' },
        ],
      },
      {
        text: 'Operation',
        items: [
          { text: 'Configuration', link: '/configuration' },
          { text: 'Stores', link: '/stores' },
          { text: 'Encryption', link: '/encryption' },
          { text: 'Errors', link: '/errors' },
          { text: 'Observability', link: '/observability' },
          { text: 'Operations', link: '/operations' },
          { text: 'Troubleshooting', link: '/troubleshooting' },
          { text: 'Messages', link: '/messages' },
          { text: 'Command line', link: '/command-line' },
          { text: 'Security', link: '/security' },
          { text: 'Guarantees', link: '/guarantees' },
          { text: 'Versions and upgrades', link: '/versioning' },
        ],
      },
      {
        text: 'Development',
        items: [
          { text: 'The sandbox', link: '/sandbox' },
          { text: 'Testing', link: '/testing' },
          { text: 'From the official SDK', link: '/migrating' },
          { text: 'Compatibility', link: '/compatibility' },
          { text: 'Examples', link: '/examples' },
        ],
      },
      {
        text: 'Inside',
        items: [
          { text: 'How it is built', link: '/how-it-is-built' },
          { text: 'Architecture', link: '/architecture' },
          { text: 'The sandbox', link: '/sandbox-architecture' },
          { text: 'The proof of renewal', link: '/proof' },
          { text: 'Speed', link: '/speed' },
          { text: 'Contributing', link: '/contributing' },
          { text: 'Changelog', link: '/changelog' },
          { text: 'Report a vulnerability', link: '/reporting' },
        ],
      },
    ],
  },
  markdown: {
    config: (markdown) => {
      // Links follow the files of the repository; pages have other places on the site.
      markdown.core.ruler.push('links', ({ tokens, env }) => {
        for (const token of tokens.flatMap(({ children }) => children ?? [])) {
          if (token.type !== 'link_open') continue;
          const link = linkOf(env.realPath ?? env.path, token.attrGet('href') ?? '');
          if (link === undefined) token.attrs = null;
          else token.attrSet('href', link);
        }
      });
    },
  },
});
