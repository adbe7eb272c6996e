import {
  INVALID_SPAN_CONTEXT,
  ROOT_CONTEXT,
  SpanStatusCode,
  context,
  createContextKey,
  isSpanContextValid,
  trace,
  type Attributes,
  type Context,
  type Span,
  type SpanContext,
} from '@opentelemetry/api';
import { Observable } from 'rxjs';
import { isBerbixError, nameOf } from '../errors/index.js';
import { VERSION } from '../version.js';
import { countLookup, instruments, type TokenSource } from './instruments.js';
import { quietly, reportFailure } from './quietly.js';

export type { Span };

/** Without an SDK, all of this does nothing. An SDK may be registered later. */
const tracer = trace.getTracer('nestjs-berbix', VERSION);

/**
 * The span of one call, until its caller has what they wait for or leaves. Work of the call is in its
 * context only by `run`: a context for each of ten thousand callers who wait for one exchange costs
 * more than their spans.
 */
export class CallSpan {
  private constructor(
    private readonly span: Span,
    private readonly outer: Context,
  ) {}

  /** Undefined without an SDK. */
  static start(name: string): CallSpan | undefined {
    const outer = context.active();
    const span = startSpan(name, {}, outer);
    return isSpanContextValid(span.spanContext()) ? new CallSpan(span, outer) : undefined;
  }

  /** Does work whose spans belong below this one. */
  run<R>(work: () => R): R {
    return context.with(trace.setSpan(this.outer, this.span), work);
  }

  /** Within `run`, goes back to the context of the caller. */
  outside<R>(work: () => R): R {
    return context.with(this.outer, work);
  }

  /** @param source of the tokens that the caller gets */
  found(source: TokenSource): void {
    quietly(() => this.span.setAttribute('berbix.token.source', source));
  }

  /** @param exchange the span of the one that the caller waited for */
  link(exchange: SpanContext | undefined): void {
    if (exchange === undefined || !isSpanContextValid(exchange)) return;
    // An SDK that is older than version 1.9 of the API does not have it.
    quietly(() => this.span.addLink?.({ context: exchange }));
  }

  fail(error: unknown): void {
    fail(this.span, error);
    this.end();
  }

  /** Unless it has ended. A caller who unsubscribes in an operator ends it twice. */
  end(): void {
    end(this.span);
  }
}

/**
 * An Observable with a span around each subscription, and its work in the context of that span. What
 * it emits runs in the context of the subscriber. Around a single promise, `observe` costs less.
 *
 * Spans are INTERNAL: the requests to the API and to the store are spans of their own, made by the
 * instrumentations of undici, pg and ioredis.
 */
export function traced<T>(name: string, source: Observable<T>): Observable<T> {
  return new Observable((subscriber) => {
    const span = CallSpan.start(name);
    if (span === undefined) return source.subscribe(subscriber);
    const subscription = span.run(() =>
      source.subscribe({
        next: (value) => span.outside(() => subscriber.next(value)),
        error: (error: unknown) => {
          span.fail(error);
          span.outside(() => subscriber.error(error));
        },
        complete: () => {
          span.end();
          span.outside(() => subscriber.complete());
        },
      }),
    );
    return () => {
      subscription.unsubscribe();
      span.end();
    };
  });
}

/** The same around a function that returns a promise. */
export function inSpan<T>(
  name: string,
  attributes: Attributes,
  work: (span: Span) => Promise<T>,
  parent: Context = context.active(),
): Promise<T> {
  const span = startSpan(name, attributes, parent);
  // Without an SDK; the rest took a tenth of the CPU of an exchange.
  if (!isSpanContextValid(span.spanContext())) return work(span);
  return context.with(trace.setSpan(parent, span), async () => {
    try {
      return await work(span);
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      end(span);
    }
  });
}

/** One that records nothing if the SDK fails. */
function startSpan(name: string, attributes: Attributes, parent: Context): Span {
  try {
    return tracer.startSpan(name, { attributes }, parent);
  } catch (error) {
    reportFailure(error);
    return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
  }
}

/** The span of a failure has the code of the error, never its message: that is for people. */
function fail(span: Span, error: unknown): void {
  quietly(() => {
    span.setAttribute('error.type', isBerbixError(error) ? error.code : nameOf(error));
    span.setStatus({ code: SpanStatusCode.ERROR });
  });
}

function end(span: Span): void {
  quietly(() => {
    if (span.isRecording()) span.end();
  });
}

/** What telemetry shows of a run that callers share, and of the tokens that they get from it. */
export class RunTrace {
  source: TokenSource = 'store';
  /** The span of the exchange that it made or joined, or else its own. */
  span: SpanContext | undefined;
  #wait: { since: number; account: string } | undefined;

  /**
   * Measures how long the run waits for another replica.
   *
   * @param step what it does next
   */
  next(step: string, account: string): void {
    if (step === 'wait') this.#wait ??= { since: performance.now(), account };
    else this.waited();
  }

  /** A wait is over, perhaps since the run has ended. */
  waited(): void {
    if (this.#wait === undefined) return;
    const { since, account } = this.#wait;
    const seconds = (performance.now() - since) / 1_000;
    instruments()?.leaseWait.record(seconds, { 'berbix.account': account });
    this.#wait = undefined;
  }
}

const TRACE = createContextKey('nestjs-berbix run');

/** Does the work of a run in a trace of its own, since it belongs to no caller. */
export function inTrace<T>(run: RunTrace, work: () => Promise<T>): Promise<T> {
  const parent = ROOT_CONTEXT.setValue(TRACE, run);
  const renew = (span: Span): Promise<T> => {
    run.span = span.spanContext();
    return work().finally(() => run.waited());
  };
  return inSpan('berbix.tokens.renewal', {}, renew, parent);
}

/** The parent of an exchange: the run that makes it. One that callers make without a run has none. */
export function runContext(): Context {
  const active = context.active();
  return active.getValue(TRACE) === undefined ? ROOT_CONTEXT : active;
}

/** The spans of the exchanges in flight, by refresh token; empty without an SDK. */
export class ExchangeSpans {
  readonly #contexts = new Map<string, SpanContext>();

  /** Call the result when the exchange ends. */
  add(refreshToken: string, span: Span): () => void {
    const spanContext = span.spanContext();
    if (!isSpanContextValid(spanContext)) return () => {};
    this.#contexts.set(refreshToken, spanContext);
    return () => {
      if (this.#contexts.get(refreshToken) === spanContext) this.#contexts.delete(refreshToken);
    };
  }

  /**
   * Links a caller who waits for the exchange to its span, however their wait ends.
   *
   * @param caller their span; undefined for the run that makes the exchange
   */
  link(refreshToken: string, caller: CallSpan | undefined): void {
    const exchange = this.#contexts.get(refreshToken);
    if (exchange === undefined) return;
    if (caller !== undefined) return caller.link(exchange);
    const run = context.active().getValue(TRACE) as RunTrace | undefined;
    if (run !== undefined) run.span = exchange;
  }
}

/** Counts the tokens that a caller got, and sets their source in the caller's span. */
export function recordLookup(
  account: string,
  source: TokenSource,
  caller: CallSpan | undefined,
): void {
  countLookup(account, source);
  caller?.found(source);
}
