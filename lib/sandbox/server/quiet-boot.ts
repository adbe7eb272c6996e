import { AsyncLocalStorage } from 'node:async_hooks';
import { Logger } from '@nestjs/common';

/**
 * What each logger of Nest reads with every line: where lines go, and whether they wait in the buffer
 * of an application that starts with `bufferLogs`.
 */
const LOGGER_FIELDS = ['staticInstanceRef', 'isBufferAttached'];

/** Set in what a boot calls, and nowhere else. */
const quiet = new AsyncLocalStorage<true>();

let boots = 0;

/**
 * Runs the start of a Nest application without its log lines, and with those of everybody else.
 *
 * `NestFactory.create(…, { logger: false })` turns off the logger of the whole process, and with it
 * the one of the application under test. So the logger stays what it is, and while a boot is under
 * way its code alone sees none.
 */
export async function quietly<Result>(boot: () => Promise<Result>): Promise<Result> {
  boots += 1;
  if (boots === 1) for (const field of LOGGER_FIELDS) hideFromBoots(field);
  try {
    return await quiet.run(true, boot);
  } finally {
    boots -= 1;
    if (boots === 0) for (const field of LOGGER_FIELDS) showAgain(field);
  }
}

/** Code of a boot reads `undefined`; all other code reads and writes the field as usual. */
function hideFromBoots(field: string): void {
  let value: unknown = Reflect.get(Logger, field);
  Object.defineProperty(Logger, field, {
    get: () => (quiet.getStore() ? undefined : value),
    set: (next: unknown) => {
      value = next;
    },
    enumerable: true,
    configurable: true,
  });
}

function showAgain(field: string): void {
  const value: unknown = Reflect.get(Logger, field);
  Object.defineProperty(Logger, field, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}
