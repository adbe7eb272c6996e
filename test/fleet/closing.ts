import { afterAll } from '@jest/globals';

const closing: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** Has something closed after the tests of the file; what was opened last goes first. */
export function closeAfterFile(close: () => Promise<unknown>): void {
  closing.push(close);
}
