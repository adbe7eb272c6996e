import { BerbixError } from 'nestjs-berbix';
import { firstValueFrom, type Observable } from 'rxjs';

/** The error that an Observable ends with. */
export async function errorOf(observable: Observable<unknown>): Promise<BerbixError> {
  let value: unknown;
  try {
    value = await firstValueFrom(observable);
  } catch (error) {
    if (error instanceof BerbixError) return error;
    throw error;
  }
  throw new Error(`expected an error, got ${String(value)}`);
}
