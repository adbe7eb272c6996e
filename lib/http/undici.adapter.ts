import type { HttpService } from '@nestjs/axios';
import {
  Axios,
  type AxiosAdapter,
  type AxiosRequestConfig,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';
import type { Dispatcher } from 'undici';
import type { InFlight } from '../concurrency/index.js';
import type { Attempt } from './call.js';
import type { Connection } from './connection.js';
import { decodeBody } from './decode-body.js';
import type { BerbixDispatcher } from './http.options.js';
import { ProxyFailure, REFUSED_CLIENT, WireFailure, shortCode } from './wire-failure.js';

/** Undici's code for a request that cannot be sent. */
const INVALID = 'UND_ERR_INVALID_ARG';

/** One error for all aborts, so that there is only one stack trace; nobody sees it. */
const ABORTED = new Error('aborted');

/**
 * An axios instance for HttpService that passes each config directly to the adapter. Everything
 * that axios does before (merging defaults, copying headers, transforming) would cost as much as
 * the exchange, and would not change a complete config. Only interceptors of the application need
 * it.
 */
class LeanAxios extends Axios {
  constructor(private readonly adapter: AxiosAdapter) {
    super({ adapter, headers: {} as never });
    // HttpService calls the method without the instance.
    this.request = this.request.bind(this) as typeof this.request;
  }

  override request(config: AxiosRequestConfig): Promise<never> {
    if (hasHandlers(this.interceptors.request) || hasHandlers(this.interceptors.response)) {
      return super.request<never, never>(config);
    }
    return this.adapter(config as never) as Promise<never>;
  }
}

/** @param adapter accepts configs as `Axios.request` passes them on */
export function leanAxios(adapter: AxiosAdapter): HttpService['axiosRef'] {
  return new LeanAxios(adapter) as unknown as HttpService['axiosRef'];
}

/** The list of interceptors is missing in the types of axios. */
function hasHandlers(manager: object): boolean {
  return (manager as { handlers?: unknown[] }).handlers?.length !== 0;
}

/** Where the requests go. */
interface Transport {
  readonly connection: Connection;
  readonly origin: string;
  /** Limit of the body of an answer. */
  readonly maxAnswerBytes: number;
  /** The requests that are sent and not answered yet. */
  readonly answers: InFlight;
}

/**
 * An axios adapter over an undici dispatcher. It needs a third of the CPU of axios' own adapter,
 * follows no redirects, and rejects bodies above `maxAnswerBytes`. It rejects only with a
 * {@link WireFailure}.
 */
export function undiciAdapter(transport: Transport): AxiosAdapter {
  return (config) => {
    const attempt = config.cancelToken as unknown as Attempt;
    // An interceptor may have taken longer than the attempt may.
    attempt.throwIfRequested();
    // If an interceptor sends a request again, the API may still have acted on the first one.
    if (attempt.stage === 'intercepting') attempt.stage = 'connecting';
    const opened = transport.connection.open();
    const answer =
      opened instanceof Promise
        ? attempt.race(opened).then((dispatcher) => dispatch(dispatcher, config, transport))
        : dispatch(opened, config, transport);
    return transport.answers.track(answer);
  };
}

function dispatch(
  dispatcher: BerbixDispatcher,
  config: InternalAxiosRequestConfig,
  { origin, maxAnswerBytes }: Transport,
): Promise<AxiosResponse<Buffer>> {
  return new Promise((resolve, reject) => {
    const collector = new AnswerCollector(config, maxAnswerBytes, resolve, reject);
    try {
      dispatcher.dispatch(
        {
          origin,
          path: config.url as string,
          method: (config.method as string).toUpperCase() as Dispatcher.HttpMethod,
          headers: config.headers as never,
          body: config.data ?? null,
          // The deadline of the attempt covers both.
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        collector,
      );
    } catch (error) {
      if (shortCode(error) !== INVALID) throw error;
      // From a dispatcher of undici 6, which expects another kind of handler.
      collector.onResponseError(null, error as Error);
    }
  });
}

type AnswerHeaders = Record<string, string | string[] | undefined>;

class AnswerCollector implements Dispatcher.DispatchHandler {
  readonly #attempt: Attempt;
  #controller: Dispatcher.DispatchController | undefined;
  #isOver = false;
  #status = 0;
  #statusText = '';
  #headers: AnswerHeaders = {};
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(
    private readonly config: InternalAxiosRequestConfig,
    private readonly maxAnswerBytes: number,
    private readonly resolve: (response: AxiosResponse<Buffer>) => void,
    private readonly reject: (failure: WireFailure) => void,
  ) {
    this.#attempt = config.cancelToken as unknown as Attempt;
    this.#attempt.onCancel((reason) => this.#fail(reason));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Canceled while it waited for a connection: nothing has been written yet.
    if (this.#isOver) return controller.abort(ABORTED);
    this.#controller = controller;
    this.#attempt.stage = 'sent';
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
    this.#attempt.stage = 'answered';
    const body =
      this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    const encoding = this.#headers['content-encoding'] ?? 'identity';
    if (encoding === 'identity' || body.length === 0) return this.#answer(body, this.#headers);
    const { 'content-encoding': _, ...headers } = this.#headers;
    void decodeBody(body, String(encoding), this.maxAnswerBytes).then((decoded) =>
      typeof decoded === 'string' ? this.#fail(decoded) : this.#answer(decoded, headers),
    );
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const code = shortCode(error);
    if (this.#status === 0 && REFUSED_CLIENT.test(code ?? '')) this.#attempt.stage = 'connecting';
    const reason =
      error instanceof ProxyFailure ? 'proxy' : code === INVALID ? 'refused' : 'connection';
    this.reject(new WireFailure(reason, this.#attempt.stage, code));
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

  /** Rejects immediately; the connection is closed as soon as undici provides a controller. */
  #fail(reason: WireFailure['reason']): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#chunks = [];
    this.reject(new WireFailure(reason, this.#attempt.stage));
    this.#controller?.abort(ABORTED);
  }
}
