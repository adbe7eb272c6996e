import type { Tab } from '../../support/browser/tab.js';

/**
 * In the page: what its style sheets make of each element that is not known yet. It is what would be
 * otherwise with the sheet of the browser alone, in a parent as it is. Values are those before the layout,
 * so they depend on no font.
 */
const OBSERVE = `
  (known) => {
    // Other names for the same, and what only follows from the color of the text.
    const ALIASES = /^-|-(block|inline|start|end)(-|$)|^(block|inline)-size$|^perspective-|^transform-|^text-decoration$/;
    const FOLLOWING = /^(border-.*|outline|caret|(column|row)-rule|text-(decoration|emphasis))-color$/;
    const PSEUDO = ['content', 'display', 'position', 'top', 'left', 'width', 'height', 'margin', 'border-radius',
      'background-color', 'color', 'font-size'];
    const nameOf = (element) => element.localName +
      (element.getAttribute('class') ?? '').replace(/^(?=.)| +/g, '.') +
      ['aria-current', 'disabled', 'type'].filter((name) => element.hasAttribute(name))
        .map((name) => '[' + name + '=' + element.getAttribute(name) + ']').join('');
    const pathOf = (element) => element === document.documentElement ? '' : pathOf(element.parentElement) + ' ' +
      nameOf(element) + (element.previousElementSibling ? '' : ':first') + (element.nextElementSibling ? '' : ':last');

    function valuesOf(element, isPlaced = element.hasAttribute('style')) {
      const values = new Map([['box-sizing', ['border-box']], ...element.computedStyleMap()]
        .filter(([name]) => !ALIASES.test(name))
        .map(([name, parts]) => [name, [...parts].join(', ').replace(/(?<=min\\(100%, )[\\d.]+px/, '{characters}')]));
      for (const [name, value] of values) {
        if (FOLLOWING.test(name) && value === values.get('color')) values.delete(name);
        // These are the times of a run.
        else if (isPlaced && /^(left|right|width|margin-(left|right))$/.test(name)) values.delete(name);
        else if (element.ownerSVGElement && !/^(fill|stroke)$/.test(name)) values.delete(name);
      }
      for (const pseudo of element.localName === 'dialog' ? ['::backdrop'] : ['::before', '::after']) {
        const style = getComputedStyle(element, pseudo);
        const isThere = pseudo === '::backdrop' || !/^(none|normal)$/.test(style.content);
        for (const name of isThere ? PSEUDO : []) values.set(pseudo + ' ' + name, style.getPropertyValue(name));
      }
      return values;
    }

    function plainOf(element) {
      const style = element.getAttribute('style');
      element.style.cssText = 'all: revert';
      const plain = valuesOf(element, style !== null);
      if (style === null) element.removeAttribute('style');
      else element.style.cssText = style;
      for (const name of plain.keys()) if (name.startsWith('::')) plain.delete(name);
      return plain.set('box-sizing', 'border-box');
    }

    const others = (values, before) => [...values].filter(([name, value]) => before.get(name) !== value);

    const paths = new Set(known);
    const found = [...document.querySelectorAll('body, body *:not(script, option, svg *), svg [class]')].filter((element) => {
      const path = pathOf(element);
      return !paths.has(path) && paths.add(path);
    }).map((element) => {
      const values = valuesOf(element);
      return { element, values, styles: [['', others(values, plainOf(element))]] };
    });
    const when = (state, isShown) => found.forEach(({ element, values, styles }) =>
      styles.push([state + ' ', others(valuesOf(element), values).filter(([name]) => isShown(name, styles[0][1]))]));
    const lines = () => found.map(({ element, styles }) => [nameOf(element), ...styles.flatMap(
      ([state, changed]) => changed.map(([name, value]) => state + name + ': ' + value))]);

    document.documentElement.style.colorScheme = 'dark';
    // What is only inherited is that of the parent.
    when('dark', (name, own) => own.some(([other]) => other === name));
    document.documentElement.style.colorScheme = '';
    // What the mouse and the keys bring about, one element at a time.
    (function rename(rules) {
      for (const rule of rules) {
        if (rule.selectorText) rule.selectorText = rule.selectorText.replace(/:(hover|focus-visible)/g, '.is-$1');
        if (rule.cssRules) rename(rule.cssRules);
      }
    })([...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]));
    for (const { element, values, styles } of found.filter(({ element }) => element.matches('a, button, input, select, summary'))) {
      for (const state of ['hover', 'focus-visible']) {
        element.classList.add('is-' + state);
        styles.push([':' + state + ' ', others(valuesOf(element), values)]);
        element.classList.remove('is-' + state);
      }
      if (!element.classList.length) element.removeAttribute('class');
    }
    window.narrow = () => { when('narrow', () => true); return lines(); };
    return [...paths];
  }`;

const [WIDE, NARROW] = [1280, 360];
const HEIGHT = 1000;

/** The styles of some pages; those of an element that is on many of them are there once. */
export class Styles {
  readonly #texts: string[] = [];
  readonly #blocks = new Set<string>();
  #known: unknown = [];

  constructor(private readonly tab: Tab) {}

  /** Adds what is new on the page that the tab shows. */
  async add(title: string): Promise<void> {
    await this.tab.resize(WIDE, HEIGHT);
    this.#known = await this.tab.evaluate(`(${OBSERVE})(${JSON.stringify(this.#known)})`);
    await this.tab.resize(NARROW, HEIGHT);
    const found = (await this.tab.evaluate('window.narrow()')) as string[][];
    const styled = found.filter(({ length }) => length > 1);
    const blocks = styled.map((lines) => merged(lines).join('\n  '));
    const added = blocks.filter((block) => !this.#blocks.has(block) && this.#blocks.add(block));
    this.#texts.push([`# ${title}`, ...added].join('\n\n'));
  }

  get text(): string {
    return `${this.#texts.join('\n\n')}\n`;
  }
}

const SIDES = /-(top|right|bottom|left)(?=-|:)/;

/** One line for what is the same on all sides, or at all corners. */
function merged(lines: string[]): string[] {
  const counts = new Map<string, number>();
  const short = lines.map((line) =>
    line.replace(/-(top|bottom)-(left|right)-radius/, '-radius').replace(SIDES, ''),
  );
  for (const line of short) counts.set(line, (counts.get(line) ?? 0) + 1);
  return [
    ...new Set(
      lines.map((line, index) =>
        counts.get(short[index] ?? '') === 4 ? (short[index] ?? '') : line,
      ),
    ),
  ];
}
