import type { Variables } from './variables.js';

/** A field of a result fits on a line. */
const WIDTH = 150;

/** What JSON consists of; a number may be a variable. */
const PARTS = /\{[a-z][a-z ]*\d*\}|"(?:[^"\\]|\\.)*"|[[\]{},:]|[^[\]{},:"]+/g;

/**
 * JSON over several lines where it is long, with every digit and in its own order. What is not JSON
 * stays as it is.
 */
export function readableJson(text: string, variables: Variables): string {
  const renamed = variables.in(text);
  return isJson(text) ? written(valueIn(renamed.match(PARTS) ?? []), '') : renamed;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A list has its values, and an object its names and values. */
type Value = string | { readonly open: '[' | '{'; readonly entries: readonly [string, Value][] };

/** Takes a value from the parts. */
function valueIn(parts: string[]): Value {
  const first = parts.shift() ?? '';
  if (first !== '[' && first !== '{') return first;
  const entries: [string, Value][] = [];
  while (parts[0] !== ']' && parts[0] !== '}') {
    const name = first === '{' ? `${parts.splice(0, 2).join('')} ` : '';
    entries.push([name, valueIn(parts)]);
    if (parts[0] === ',') parts.shift();
  }
  parts.shift();
  return { open: first, entries };
}

function written(value: Value, indent: string, name = ''): string {
  const line = name + inOneLine(value);
  if (typeof value === 'string' || value.entries.length === 0) return line;
  if (indent.length + line.length <= WIDTH) return line;
  const deeper = `${indent}  `;
  const lines = value.entries.map(([key, member]) => deeper + written(member, deeper, key));
  const close = value.open === '[' ? ']' : '}';
  return `${name}${value.open}\n${lines.join(',\n')}\n${indent}${close}`;
}

function inOneLine(value: Value): string {
  if (typeof value === 'string') return value;
  const { open, entries } = value;
  const line = entries.map(([key, member]) => key + inOneLine(member)).join(', ');
  if (open === '[') return `[${line}]`;
  return line === '' ? '{}' : `{ ${line} }`;
}
