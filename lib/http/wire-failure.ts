/** Why a call was cut short. */
export type CancelReason = 'timeout' | 'total-timeout' | 'unsubscribed';

/**
 * Why no answer came. Not an Error: it never leaves this folder, and a stack for each would cost
 * more than the attempt.
 */
export class WireFailure {
  /** Axios passes on as it is what carries this mark. */
  readonly __CANCEL__ = true;

  constructor(
    readonly reason: CancelReason | 'too-large' | 'connection',
    /** Whether any byte of the request may have reached the API. */
    readonly sent: boolean,
    /** The short code of the system or of the HTTP client, such as `ECONNREFUSED`. */
    readonly code?: string,
  ) {}
}
