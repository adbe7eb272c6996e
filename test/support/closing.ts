import { afterAll, afterEach, beforeEach } from '@jest/globals';

type Close = () => unknown;

const ofTest: Close[] = [];
const ofFile: Close[] = [];
let isInTest = false;

beforeEach(() => {
  isInTest = true;
});
afterEach(async () => {
  isInTest = false;
  await closeAll(ofTest);
});
afterAll(() => closeAll(ofFile));

/**
 * Closes something after the test, last opened first. What is opened before the tests, in a `beforeAll`
 * or by the file, closes after all of them.
 */
export function closeAfterTest(close: Close): void {
  (isInTest ? ofTest : ofFile).push(close);
}

/** Closes what a test opens for the next tests of the file too. */
export function closeAfterFile(close: Close): void {
  ofFile.push(close);
}

/** Closes all, even if one of them fails. */
async function closeAll(open: Close[]): Promise<void> {
  try {
    await open.pop()?.();
  } finally {
    if (open.length > 0) await closeAll(open);
  }
}
