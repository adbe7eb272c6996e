// Builds the documentation into site/dist: the Markdown of the repository, the API reference from the
// docstrings, and llms.txt for programs that read it. It needs no network, and fails at a dead link.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pageOf } from '../site/.vitepress/pages.js';

const OUT = 'site/dist';

rmSync('site/api', { recursive: true, force: true });
run('node_modules/typedoc/bin/typedoc', '--options', 'site/typedoc.json');
run('node_modules/vitepress/bin/vitepress.js', 'build', 'site');
writeLists();

function run(...command) {
  const { status } = spawnSync(process.execPath, command, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

/** llms.txt names the pages; llms-full.txt has all of them. [https://llmstxt.org] */
function writeLists() {
  const pages = ['README.md', ...markdownIn('docs'), 'lib/README.md', 'lib/sandbox/README.md'].map(
    (file) => ({ page: pageOf(file), text: readFileSync(file, 'utf8') }),
  );
  const [{ text: readme }] = pages;
  const lines = pages.map(({ page, text }) => `- [${titleOf(text)}](/${page}): ${leadOf(text)}`);
  const list = [`# ${titleOf(readme)}`, `> ${leadOf(readme)}`, `## Pages\n\n${lines.join('\n')}`];
  writeFileSync(join(OUT, 'llms.txt'), `${list.join('\n\n')}\n`);
  writeFileSync(join(OUT, 'llms-full.txt'), pages.map(({ text }) => text).join('\n\n'));
  for (const { page, text } of pages) {
    mkdirSync(join(OUT, dirname(page)), { recursive: true });
    writeFileSync(join(OUT, page), text);
  }
}

function markdownIn(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith('.md'))
    .toSorted()
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`);
}

function titleOf(text) {
  return /^# (.*)$/m.exec(text)?.[1] ?? '';
}

/** The first sentence of the page, without its markup. */
function leadOf(text) {
  const prose = text
    .replaceAll(/^```.*?^```$/gms, '')
    .split('\n')
    .slice(1);
  const paragraph = prose.find((line) => /^[\w*_`[]/.test(line)) ?? '';
  const plain = paragraph.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/[*_`]/g, '');
  return /^.*?\.(?=\s|$)/.exec(plain)?.[0] ?? plain;
}
