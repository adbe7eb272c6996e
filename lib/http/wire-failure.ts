/** Why a call was cut short. */
export type CancelReason = 'timeout' | 'total-timeout' | 'unsubscribed' | 'shutdown';

/**
 * How far an attempt has come: it waits for its turn, for the API secret, for interceptors of the
 * application, for a connection, for the answer, or for interceptors again.
 */
export type Stage = 'queued' | 'authorizing' | 'intercepting' | 'connecting' | 'sent' | 'answered';

/**
 * Why no answer came. Not an Error: it never leaves this folder, and a stack for each would cost
 * more than the attempt.
 */
export class WireFailure {
  /** Axios passes on as it is what carries this mark. */
  readonly __CANCEL__ = true;

  constructor(
    readonly reason:
      CancelReason | 'too-large' | 'undecodable' | 'connection' | 'proxy' | 'refused',
    readonly stage: Stage,
    /** The short code of the system or of the HTTP client, such as `ECONNREFUSED`. */
    readonly code?: string,
  ) {}

  /** Whether any byte of the request may have reached the API. */
  get sent(): boolean {
    return this.stage === 'sent' || this.stage === 'answered';
  }

  /** Whether it was up to the API, or to what lies before it, to act. */
  get isOnTheWire(): boolean {
    return this.stage === 'connecting' || this.stage === 'sent';
  }
}
