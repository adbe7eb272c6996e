import { isAbsolute, relative } from 'node:path';

/** Prints headings, numbered steps, and facts below them. */
export class Printer {
  #steps = 0;

  constructor(
    private readonly write: (line: string) => void,
    private readonly labelWidth = 12,
  ) {}

  heading(text: string): void {
    this.write(`\n${text}\n`);
  }

  step(what: string, request: string): void {
    this.write(`\n${++this.#steps}. ${what}: ${request}`);
  }

  fact(label: string, text: string): void {
    this.write(`   ${label.padEnd(this.labelWidth)}${text}`);
  }
}

/** Enough to tell two tokens apart, too little to use one. */
export function redacted(token: string): string {
  return `${token.slice(0, 4)}…`;
}

/** `2026-01-31 12:00:00 UTC` */
export function formatTime(time: Date | string | number): string {
  return `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** The path relative to the working directory, if it is inside. */
export function shortPath(path: string): string {
  const short = relative('', path);
  return short.startsWith('..') || isAbsolute(short) ? path : short;
}
