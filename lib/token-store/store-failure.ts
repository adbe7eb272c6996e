import { BerbixStoreError, isBerbixError, readThrown } from '../errors/index.js';

/**
 * Transient SQLSTATEs of PostgreSQL: connection, rollback, resources, locks, shutdown, failover.
 */
const PASSING_SQLSTATE = /^(08|40|53|55P03|57|25006)/;

/** Transient errors of Redis, by the first word of the reply. */
const PASSING_REPLY =
  /^(ASK|BUSY|CLUSTERDOWN|LOADING|MASTERDOWN|MISCONF|MOVED|NOREPLICAS|OOM|READONLY|TRYAGAIN)$/;

/**
 * The error that a store throws instead of a driver's error. It keeps only the short code: the
 * driver's message may quote keys and values, and its fields the whole statement (I10).
 *
 * @param description of the store, for messages
 */
export function storeFailure(description: string, error: unknown): BerbixStoreError {
  if (isBerbixError(error) && error instanceof BerbixStoreError) return error;
  const refusal = serverCode(error);
  const reason = refusal ?? systemCode(error);
  const known = reason === undefined ? '' : ` (${reason})`;
  // Drivers have no code for a closed or silent connection, so an error without one may be
  // transient.
  const retryable =
    refusal === undefined
      ? readThrown(() => error instanceof TypeError) !== true
      : PASSING_SQLSTATE.test(refusal) || PASSING_REPLY.test(refusal);
  const message = retryable
    ? `${description} cannot be reached, or is too slow or busy${known}. Try again later; if that does not help, check its address and health.`
    : `${description} failed${known}. See its log for details.`;
  return new BerbixStoreError(message, { retryable }, reason);
}

/** The code of a refusal by the server itself: an SQLSTATE, or the first word of a Redis error. */
export function serverCode(error: unknown): string | undefined {
  const { name, code, message } = fieldsOf(error);
  if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && /\d/.test(code)) return code;
  if (name !== 'ReplyError' || typeof message !== 'string') return undefined;
  // Redis 6 wraps the error of a command inside a script in a message of its own.
  const inScript = /^ERR Error running script .*? -([A-Z]{2,20}) /.exec(message)?.[1];
  return inScript ?? /^[A-Z]{2,20}(?= )/.exec(message)?.[0];
}

/** The code of a system error, such as ECONNREFUSED. */
function systemCode(error: unknown): string | undefined {
  const { code } = fieldsOf(error);
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,40}$/.test(code) ? code : undefined;
}

function fieldsOf(error: unknown): { name?: unknown; code?: unknown; message?: unknown } {
  const read = (): ReturnType<typeof fieldsOf> => {
    const { name, code, message } = Object(error) as Record<string, unknown>;
    return { name, code, message };
  };
  return readThrown(read) ?? {};
}
