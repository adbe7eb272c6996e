import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect } from '@jest/globals';
import type { Tab } from './tab.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The rules that depend on colors; what else a page has is the same in light and dark. */
const OF_COLORS = "['color-contrast', 'link-in-text-block']";

/** Fails with each rule that the page breaks in light or dark, and the elements that break it. */
export async function expectAccessible(tab: Tab): Promise<void> {
  for (const scheme of ['light', 'dark'] as const) {
    await tab.prefer(scheme);
    if ((await tab.evaluate('typeof axe')) === 'undefined') await tab.evaluate(axe);
    const rules = scheme === 'light' ? '' : `runOnly: ${OF_COLORS},`;
    const options = `{ ${rules} resultTypes: ['violations'] }`;
    const broken = await tab.evaluate(`axe.run(${options}).then(({ violations }) => violations.map(
      ({ id, nodes }) => id + ': ' + nodes.map(({ html, any }) =>
        html + ' ' + any.map(({ message }) => message)).join(' | ')))`);
    expect({ scheme, broken }).toEqual({ scheme, broken: [] });
  }
}
