import { BerbixError } from 'nestjs-berbix';
import { firstValueFrom, isObservable, type Observable } from 'rxjs';

/** An Observable, a promise, or a function that throws. */
type Failing = Observable<unknown> | Promise<unknown> | (() => unknown);

/** The error of this package that something fails with; any other is thrown. */
export async function errorOf<T extends BerbixError = BerbixError>(
  failing: Failing,
  type: abstract new (...details: never) => T = BerbixError as never,
): Promise<T> {
  const reason = await rejectionOf(failing);
  if (reason instanceof type) return reason;
  throw reason;
}

/** What something fails with, whatever that is. */
export async function rejectionOf(failing: Failing): Promise<unknown> {
  let value: unknown;
  try {
    const result: unknown = typeof failing === 'function' ? failing() : failing;
    value = await (isObservable(result) ? firstValueFrom(result) : result);
  } catch (reason) {
    return reason;
  }
  throw new Error(`expected an error, got ${String(value)}`);
}
