import { BerbixTokens, type BerbixError } from 'nestjs-berbix';
import { firstValueFrom, type Observable } from 'rxjs';
import type { BerbixDispatcher } from '../../../lib/http/index.js';
import { VERSION } from '../../../lib/version.js';

type Dispatch = BerbixDispatcher['dispatch'];
type Handler = Parameters<Dispatch>[1];
type Controller = Parameters<NonNullable<Handler['onRequestStart']>>[0];

/** An answer, or the code of the failure before or after the request was sent. */
export type Answer =
  | { status: number; body?: unknown; headers?: Record<string, string> }
  | { code: string; sent: boolean };

/** Gives each request the next answer, and writes down requests and outcomes. */
export class ScriptedApi {
  readonly #answers: Answer[] = [];
  readonly #lines: string[] = [];
  readonly dispatcher: BerbixDispatcher = {
    dispatch: (options, handler) => {
      this.#receive(options, handler);
      return true;
    },
  };

  /** @param showsRequests with their headers and bodies */
  constructor(private readonly showsRequests: boolean) {}

  get text(): string {
    return `${this.#lines.join('\n')}\n`;
  }

  write(line: string): void {
    this.#lines.push(line);
  }

  /** Makes a call with these answers, and writes down how it ends. */
  async call<T>(name: string, call: Observable<T>, ...answers: Answer[]): Promise<T | undefined> {
    if (name !== '') this.#lines.push(...(this.#lines.length > 0 ? [''] : []), brief(name));
    this.#answers.splice(0, Infinity, ...answers);
    try {
      const value = await firstValueFrom(call);
      if (name !== '') this.write(`  => ${shown(value)}`);
      return value;
    } catch (error) {
      this.write(`  => ${shownError(error as BerbixError)}`);
      return undefined;
    }
  }

  #receive({ origin, path, method, headers, body }: Parameters<Dispatch>[0], handler: Handler) {
    const answer = this.#answers.shift() ?? { status: 200, body: {} };
    if (this.showsRequests) {
      this.write(`  ${method} ${String(origin)}${path}`);
      for (const [name, value] of Object.entries(headers as Record<string, string>)) {
        this.write(`    ${name}: ${value.replace(VERSION, '{version}')}`);
      }
      if (body !== null) this.write(`    ${Buffer.from(body as string).toString()}`);
    }
    if ('code' in answer) {
      const error = Object.assign(new Error('canary'), { code: answer.code });
      if (answer.sent) handler.onRequestStart?.(CONTROLLER, {} as never);
      return handler.onResponseError?.(CONTROLLER, error);
    }
    const { status, body: content = '', headers: given = {} } = answer;
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    handler.onRequestStart?.(CONTROLLER, {} as never);
    handler.onResponseStart?.(CONTROLLER, status, given, '');
    handler.onResponseData?.(CONTROLLER, Buffer.from(text));
    handler.onResponseEnd?.(CONTROLLER, {});
  }
}

const CONTROLLER = { abort: () => {} } as unknown as Controller;

function brief(text: string): string {
  return text.replaceAll(
    /(x|9| )\1{30,}/g,
    (run, part: string) => `{${run.length} times "${part}"}`,
  );
}

/** With the tokens, which are not part of the JSON. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const { tokens } = value as { tokens?: BerbixTokens };
  const own = value instanceof BerbixTokens ? tokensIn(value) : value;
  return JSON.stringify(tokens === undefined ? own : { ...value, tokens: tokensIn(tokens) });
}

/** No log shows a secret; here, none is real. */
function tokensIn(tokens: BerbixTokens): object {
  const { refreshToken, accessToken, clientToken, lifetimeMs, transactionId, expiresAt } = tokens;
  // Tokens that were in a store have a few milliseconds less.
  const leftSeconds = expiresAt && Math.round((expiresAt.getTime() - Date.now()) / 10_000) * 10;
  return { refreshToken, accessToken, clientToken, lifetimeMs, transactionId, leftSeconds };
}

function shownError(error: BerbixError & { reason?: string; nextStep?: string }): string {
  const { name, message, ...rest } = error.toJSON();
  const { reason, nextStep, tokens, isWithoutEffect } = error;
  const more = { reason, nextStep, isWithoutEffect, tokens: tokens?.refreshToken };
  return brief(`${String(name)}: ${String(message)}\n     ${JSON.stringify({ ...rest, ...more })}`);
}
