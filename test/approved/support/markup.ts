import { setTimeout as wait } from 'node:timers/promises';
import type { Tab } from '../../support/browser/tab.js';
import { approved, expectApproved, IS_APPROVING } from './approved.js';
import { Variables } from './variables.js';

/** Until what was pressed a moment ago is on the page. */
const SETTLED_MS = 1_000;
const LIMIT_MS = 10_000;

/**
 * In the page: a line for each element, with its attributes and the state of a control, and for each
 * text.
 */
const SERIALIZE = `(function lines(node, depth) {
  if (node === null) return [];
  const indent = '  '.repeat(depth);
  if (node.nodeType === Node.TEXT_NODE) {
    return node.data.trim() === '' ? [] : node.data.split('\\n').map((line) => indent + line);
  }
  const facts = [...node.attributes].map(({ name, value }) => name + '="' + value + '"');
  if (/^(INPUT|SELECT)$/.test(node.tagName) && node.value) facts.push('value: ' + node.value);
  if (node.checked) facts.push('is checked');
  if (node.matches(':modal')) facts.push('is modal');
  if (node === document.activeElement) facts.push('has the focus');
  return [
    indent + [node.localName, ...facts].join(' '),
    ...[...node.childNodes].flatMap((child) => lines(child, depth + 1)),
  ];
})`;

/** Times and durations of a run, and the keys of its secrets. */
const OF_A_RUN: readonly [RegExp, string][] = [
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '{time}'],
  [/\w{3} \d+, \d{4}, \d+:\d\d:\d\d [AP]M/g, '{date and time}'],
  [/\b\d\d:\d\d:\d\d\b/g, '{time of day}'],
  [/^( *)\.$\n *\d{3}$/gm, '$1.{milliseconds}'],
  [/^( *)\d+(\.\d)? m?s$/gm, '$1{duration}'],
  [/\b(\d+ min )?\d+ s( ago)?$/gm, '{duration}$2'],
  [/\b\d{10}\b/g, '{seconds}'],
  [/\btpk_[0-9a-f]+/g, '{template}'],
  [/\b(max|low|value)="\d{6,7}(\.\d+)?"/g, '$1="{milliseconds}"'],
  [/inline-(start|size): [\d.]+%/g, 'inline-$1: {part}%'],
];

/**
 * Compares an element of the page, and what is in it, with a file. A page that is not there yet has
 * some time to get there.
 */
export async function expectMarkup(tab: Tab, file: string, selector = 'main'): Promise<void> {
  if (IS_APPROVING) await wait(SETTLED_MS);
  else await reach(tab, selector, approved(file));
  expectApproved(file, await markupOf(tab, selector));
}

async function reach(tab: Tab, selector: string, markup: string): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  while ((await markupOf(tab, selector)) !== markup && performance.now() < end) await wait(20);
}

async function markupOf(tab: Tab, selector: string): Promise<string> {
  const lines = await tab.evaluate(`${SERIALIZE}(document.querySelector('${selector}'), 0)`);
  return OF_A_RUN.reduce(
    (text, [pattern, variable]) => text.replaceAll(pattern, variable),
    new Variables().in(`${(lines as string[]).join('\n')}\n`),
  );
}
