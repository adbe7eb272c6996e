import type { AxiosAdapter, AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import type { Dispatcher } from 'undici';
import type { Cancellation } from './cancellation.js';
import { decodeBody } from './decode-body.js';
import { ProxyFailure } from './proxy-failure.js';
import { shortCode } from './short-code.js';
import { WireFailure } from './wire-failure.js';

/**
 * The one method that is needed of a dispatcher (Pool, Agent, ProxyAgent, MockAgent) of undici 7 or
 * later; the undici of another copy of the package will do.
 */
export interface BerbixDispatcher {
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean;
}

/**
 * An axios adapter over an undici dispatcher: a third of the CPU of axios' own, no redirects, and
 * a body that is cut off at `maxAnswerBytes`. It rejects with a {@link WireFailure} only.
 */
export function undiciAdapter(
  dispatcher: BerbixDispatcher,
  origin: string,
  maxAnswerBytes: number,
): AxiosAdapter {
  return (config) =>
    new Promise((resolve, reject) => {
      const cancellation = config.cancelToken as unknown as Cancellation;
      // An interceptor may have taken longer than the attempt.
      cancellation.throwIfRequested();
      // One that sends a request again takes back nothing: the API may have acted on the first.
      if (cancellation.stage === 'intercepting') cancellation.stage = 'connecting';
      const collector = new AnswerCollector(config, cancellation, maxAnswerBytes, resolve, reject);
      try {
        dispatcher.dispatch(
          {
            origin,
            path: config.url as string,
            method: (config.method as string).toUpperCase() as Dispatcher.HttpMethod,
            headers: config.headers as never,
            body: config.data ?? null,
            // The attempt's own deadline covers both.
            headersTimeout: 0,
            bodyTimeout: 0,
          },
          collector,
        );
      } catch (error) {
        if (shortCode(error) !== INVALID) throw error;
        // Thrown by a dispatcher of undici 6, which takes another kind of handler.
        collector.onResponseError(null, error as Error);
      }
    });
}

type AnswerHeaders = Record<string, string | string[] | undefined>;

class AnswerCollector implements Dispatcher.DispatchHandler {
  #controller: Dispatcher.DispatchController | undefined;
  #isOver = false;
  #status = 0;
  #statusText = '';
  #headers: AnswerHeaders = {};
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(
    private readonly config: InternalAxiosRequestConfig,
    private readonly cancellation: Cancellation,
    private readonly maxAnswerBytes: number,
    private readonly resolve: (response: AxiosResponse<Buffer>) => void,
    private readonly reject: (failure: WireFailure) => void,
  ) {
    cancellation.onCancel((reason) => this.#fail(reason));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Cut short while it waited for a connection: nothing has been written yet.
    if (this.#isOver) return controller.abort(ABORTED);
    this.#controller = controller;
    this.cancellation.stage = 'sent';
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: AnswerHeaders,
    statusText = '',
  ): void {
    if (status < 200) return;
    this.#status = status;
    this.#statusText = statusText;
    this.#headers = headers;
    if (Number(headers['content-length']) > this.maxAnswerBytes) this.#fail('too-large');
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver) return;
    this.#bytes += chunk.length;
    if (this.#bytes > this.maxAnswerBytes) this.#fail('too-large');
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (this.#isOver) return;
    this.cancellation.stage = 'answered';
    const body =
      this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    const { 'content-encoding': encoding = 'identity', ...headers } = this.#headers;
    if (encoding === 'identity' || body.length === 0) return this.#answer(body, this.#headers);
    void decodeBody(body, String(encoding), this.maxAnswerBytes).then((decoded) =>
      typeof decoded === 'string' ? this.#fail(decoded) : this.#answer(decoded, headers),
    );
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const code = shortCode(error);
    const reason =
      error instanceof ProxyFailure ? 'proxy' : code === INVALID ? 'refused' : 'connection';
    this.reject(new WireFailure(reason, this.cancellation.stage, code));
  }

  #answer(data: Buffer, headers: AnswerHeaders): void {
    this.#isOver = true;
    this.resolve({
      data,
      status: this.#status,
      statusText: this.#statusText,
      headers: headers as never,
      config: this.config,
    });
  }

  /** Answers the caller at once; the connection is torn down as soon as undici lets us. */
  #fail(reason: WireFailure['reason']): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#chunks = [];
    this.reject(new WireFailure(reason, this.cancellation.stage));
    this.#controller?.abort(ABORTED);
  }
}

/** Undici's code for what cannot be sent. */
const INVALID = 'UND_ERR_INVALID_ARG';

/** One error for all aborts: it is not seen by anybody, and its stack is made once. */
const ABORTED = new Error('aborted');
