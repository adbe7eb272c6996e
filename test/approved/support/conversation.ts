import { type BerbixSandbox, type BerbixSandboxOptions } from 'nestjs-berbix/sandbox';
import { type Answer, basic, type Call, RawClient } from '../../sandbox/support/raw-client.js';
import { startSandboxOn } from '../../support/services.js';
import { until } from '../../support/until.js';
import { readableJson } from './readable-json.js';
import { Variables } from './variables.js';

/** What an answer of the API has, and a file does not repeat. */
const USUAL_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'application/json; charset=utf-8',
  'content-security-policy': "default-src 'none'; sandbox",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
};

/** Headers of the connection, and those that differ from run to run. */
export const OTHER_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'transfer-encoding',
  'x-request-id',
]);

const SECRETS = {
  apiSecret: 'secret_test_approved',
  liveApiSecret: 'secret_live_approved',
} as const;

const KNOWN = {
  [basic(SECRETS.apiSecret)]: 'Basic {test secret}',
  [basic(SECRETS.liveApiSecret)]: 'Basic {live secret}',
};

/** A sandbox whose secrets are the same in each run. */
export function startKnownSandbox(options: BerbixSandboxOptions = {}): Promise<BerbixSandbox> {
  const { webhooks, ...others } = options;
  return startSandboxOn('express', {
    ...SECRETS,
    webhooks: {
      finished: { secret: 'whs_finished' },
      status: { secret: 'whs_status' },
      ...webhooks,
    },
    ...others,
  });
}

/** Writes down what is sent to a sandbox, and what it answers. */
export class Conversation extends RawClient {
  /** @param contentOf leaves out of an answer what the file need not repeat */
  constructor(
    sandbox: BerbixSandbox,
    private readonly contentOf = (text: string): string => text,
    readonly variables = new Variables(KNOWN),
    private readonly parts: string[] = [],
    secret = sandbox.apiSecret,
  ) {
    super(sandbox, secret);
  }

  /** The same with the secret of live mode. */
  get live(): Conversation {
    return new Conversation(
      this.sandbox,
      this.contentOf,
      this.variables,
      this.parts,
      this.sandbox.liveApiSecret,
    );
  }

  /** The same with another sandbox. */
  with(sandbox: BerbixSandbox): Conversation {
    return new Conversation(sandbox, this.contentOf, this.variables, this.parts);
  }

  /** Says what the next part is about. */
  about(title: string): void {
    this.parts.push(`${this.parts.length === 0 ? '' : '\n'}# ${title}\n`);
  }

  /** Adds something else than a request. */
  note(text: string): void {
    this.parts.push(`${readableJson(text, this.variables)}\n`);
  }

  /** @param show writes the body of the answer */
  override async send(
    method: string,
    path: string,
    call: Call = {},
    show = (text: string) => readableJson(this.contentOf(text), this.variables),
  ): Promise<Answer> {
    this.parts.push(this.#requestText(method, path, call));
    const answer = await super.send(method, path, call);
    // What the next request finds does not depend on when this connection ends.
    const record = this.sandbox.requests.find(String(answer.headers['x-request-id']));
    await until(() => record === undefined || record.durationMs !== undefined);
    this.parts.push(`${this.variables.in(answerText(answer, show(answer.text)))}\n`);
    return answer;
  }

  /** All of it so far. */
  get text(): string {
    return this.parts.join('\n');
  }

  #requestText(method: string, path: string, { authorization, headers, body = '' }: Call): string {
    const sent = { ...(authorization !== undefined && { authorization }), ...headers };
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return [
      `${method} ${this.variables.in(path)}`,
      ...Object.entries(sent).map(([name, value]) => `${name}: ${this.variables.in(value)}`),
      ...(text === '' ? [] : readableJson(text, this.variables).split('\n')),
    ]
      .map((line) => `> ${line}`)
      .join('\n');
  }
}

function answerText({ status, headers }: Answer, body: string): string {
  const lines = Object.entries(headers).filter(
    ([name, value]) => !OTHER_HEADERS.has(name) && USUAL_HEADERS[name] !== value,
  );
  const missing = Object.keys(USUAL_HEADERS).filter((name) => headers[name] === undefined);
  return [
    `< ${status}`,
    ...lines.toSorted().map(([name, value]) => `< ${name}: ${String(value)}`),
    ...missing.map((name) => `< no ${name}`),
    ...(body === '' ? [] : [body]),
  ].join('\n');
}
