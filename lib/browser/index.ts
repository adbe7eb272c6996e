import { FRAME_HOST, FRAME_PATH, type FrameMessage } from '../wire/frame.js';

/** What {@link mountBerbix} needs, and what it tells the page. */
export interface BerbixFrameOptions {
  /**
   * Asks your backend for the client token of the customer's verification, as
   * `BerbixVerificationService.begin()` returns it: at first, and again when a token has expired.
   */
  fetchClientToken: (signal: AbortSignal) => Promise<string>;
  /** The front end of Berbix, or the address of a sandbox. @default 'https://verify.berbix.com' */
  baseUrl?: string | undefined;
  /**
   * How often to try again with another client token before `onError` is called. The count starts
   * again once a frame has been shown for a minute. @default 3
   */
  maxRetries?: number | undefined;
  /** The frame is visible. */
  onDisplay?: (() => void) | undefined;
  /**
   * The user has completed the verification, and the frame is gone. The result is not known here: ask
   * your backend.
   */
  onComplete?: (() => void) | undefined;
  /**
   * The verification failed, or no client token opens it. The frame stays if it shows an error of
   * Berbix, which is the `cause` of the error.
   */
  onError?: ((error: unknown) => void) | undefined;
  /** The user has pressed the close button of the frame, which has one if this is set. */
  onExit?: (() => void) | undefined;
}

/** A verification in a page. */
export interface BerbixFrame {
  /** Removes the frame, and ends everything that is under way. */
  unmount: () => void;
}

/** The first retry is immediate, since an expired token is no overload; the second waits so long. */
const RETRY_MS = 1000;
const RETRY_RESET_MS = 60_000;
/** With an error, as tall as in the official SDKs. [sdk: react, vue, angular] */
const ERROR_HEIGHT = 200;

/**
 * Shows a verification in an element, and keeps it alive: when its client token has expired, it asks the
 * backend for another one and loads the frame again.
 *
 * @throws {TypeError} if `baseUrl` is not a URL
 * @example
 * const frame = mountBerbix(document.querySelector('#verification'), {
 *   fetchClientToken: async (signal) => {
 *     const response = await fetch('/verification', { method: 'POST', signal });
 *     if (!response.ok) throw new Error(`The backend answered ${response.status}.`);
 *     return (await response.json()).clientToken;
 *   },
 *   onComplete: () => showResult(),
 *   onError: (error) => showSorry(error),
 * });
 * // When the page shows something else:
 * frame.unmount();
 */
export function mountBerbix(element: Element, options: BerbixFrameOptions): BerbixFrame {
  const { baseUrl = FRAME_HOST, maxRetries = 3 } = options;
  const address = new URL(baseUrl.replace(/\/$/, '') + FRAME_PATH);
  const controller = new AbortController();
  const { signal } = controller;
  let frame: HTMLIFrameElement | undefined;
  let retries = 0;
  let displayedAt = Infinity;

  function unmount(): void {
    controller.abort();
    frame?.remove();
  }

  async function load(): Promise<void> {
    if (signal.aborted) return;
    try {
      const token = await options.fetchClientToken(signal);
      if (!signal.aborted) show(token);
    } catch (error) {
      if (!signal.aborted) retry(error);
    }
  }

  function show(token: string): void {
    const closeButton = options.onExit ? '&modal=2' : '';
    address.search = `client_token=${encodeURIComponent(token)}&max_height=${innerHeight}${closeButton}`;
    frame = document.createElement('iframe');
    frame.title = 'Identity verification';
    frame.allow = 'camera';
    // Berbix may check the origin, and the rest of the address is not its business.
    frame.referrerPolicy = 'strict-origin';
    frame.setAttribute('scrolling', 'no');
    frame.style.cssText = 'display:block;width:100%;height:0;border:0';
    frame.src = address.href;
    element.append(frame);
  }

  function retry(error: unknown): void {
    if (performance.now() - displayedAt > RETRY_RESET_MS) retries = 0;
    displayedAt = Infinity;
    if (retries >= maxRetries) {
      resize(ERROR_HEIGHT);
      options.onError?.(error);
      return;
    }
    frame?.remove();
    // Many pages may have lost the same backend: they come back at different times.
    const delay = retries && RETRY_MS * 2 ** (retries - 1) * (1 + Math.random());
    retries += 1;
    setTimeout(() => void load(), delay);
  }

  /** Browsers ignore what is not a height. */
  function resize(height: unknown): void {
    frame?.style.setProperty('height', `${height as number}px`);
  }

  function receive({ type, payload }: UncheckedMessage): void {
    if (type === 'DISPLAY_IFRAME') {
      resize(payload?.height);
      displayedAt = performance.now();
      options.onDisplay?.();
    } else if (type === 'RESIZE_IFRAME') {
      resize(payload?.height);
    } else if (type === 'RELOAD_IFRAME') {
      frame!.src = address.href;
    } else if (type === 'EXIT_MODAL') {
      options.onExit?.();
    } else if (type === 'ERROR_RENDERED') {
      retry(new Error('Berbix shows an error', { cause: payload }));
    } else if (type === 'VERIFICATION_COMPLETE') {
      unmount();
      if (payload?.success === true) options.onComplete?.();
      else options.onError?.(new Error('The verification failed', { cause: payload }));
    }
  }

  addEventListener(
    'message',
    ({ origin, source, data }) => {
      if (source && source === frame?.contentWindow && origin === address.origin) {
        receive(parse(data));
      }
    },
    { signal },
  );
  void load();
  return { unmount };
}

interface UncheckedMessage {
  type?: FrameMessage['type'];
  payload?: Record<string, unknown>;
}

/** An object without members if it is no message. */
function parse(data: unknown): UncheckedMessage {
  try {
    return Object(JSON.parse(data as string)) as UncheckedMessage;
  } catch {
    return {};
  }
}
