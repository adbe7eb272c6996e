import { rootCertificates } from 'node:tls';
import type { Agent } from 'undici';
import { SIGNATURE_HEADER } from '../../wire/index.js';
import { type SandboxClock, Timers } from '../clock.js';
import type { WebhookSettings } from '../settings.js';
import type { OpenDelivery } from './delivery-log.js';
import { signatureOf, type WebhookFault } from './webhook.js';

/** ASSUMPTION: the number of attempts, their interval and their timeout; those of Berbix are not known. */
export const MAX_ATTEMPTS = 5;
/** Older than the widest window of an SDK, 30000 seconds. [sdk: java] */
const LATE_SECONDS = 86_400;
/** What other secrets have at their end. */
const OTHER_SECRETS = { forged: '-forged', old_secret: '-old' } as const;

/** Sends webhooks until they are accepted. */
export class WebhookSender {
  /** Opened by the first webhook, since it takes long to import undici. */
  #agent: Promise<Agent> | undefined;
  readonly #closing = new AbortController();
  readonly #timers = new Timers();

  constructor(
    private readonly settings: WebhookSettings,
    private readonly clock: SandboxClock,
    private readonly attempted: (delivery: OpenDelivery) => void,
  ) {}

  /** Resolves when the webhook was delivered or given up, or the sandbox closes. Never rejects. */
  async send(delivery: OpenDelivery, fault: WebhookFault | undefined): Promise<void> {
    do await this.#attempt(delivery, fault);
    while (
      !delivery.delivered &&
      delivery.attempts < MAX_ATTEMPTS &&
      (await this.#pause(delivery))
    );
  }

  /** Ends all attempts, and the pauses between them. */
  async close(): Promise<void> {
    // The agent alone would wait for the rest of an answer that has begun.
    this.#closing.abort();
    this.#timers.clear();
    const agent = await this.#agent;
    await agent?.destroy();
  }

  async #openAgent(): Promise<Agent> {
    const { Agent } = await import('undici');
    const { ca, insecure } = this.settings;
    const agent = new Agent({
      // A new connection for each attempt: the application under test may have restarted.
      pipelining: 0,
      connect: {
        rejectUnauthorized: !insecure,
        ...(ca !== undefined && { ca: [...rootCertificates, ca] }),
      },
    });
    if (this.#closing.signal.aborted) await agent.destroy();
    return agent;
  }

  /** Whether to try again: not when the sandbox closes. */
  #pause({ attempts }: OpenDelivery): Promise<boolean> {
    return this.#timers.wait(this.settings.retryDelayMs * 2 ** (attempts - 1)).then(
      () => true,
      () => false,
    );
  }

  /** Each attempt has its own timestamp and signature. Redirects are not followed. */
  async #attempt(delivery: OpenDelivery, fault: WebhookFault | undefined): Promise<void> {
    delivery.attempts += 1;
    delivery.sentAt ??= new Date(this.clock.now());
    delivery.status = delivery.problem = undefined;
    delivery.headers = {
      'content-type': 'application/json',
      ...this.#signature(delivery, fault),
    };
    try {
      const { url, headers, body } = delivery;
      const { origin, pathname, search } = new URL(url);
      const agent = await (this.#agent ??= this.#openAgent());
      const answer = await agent.request({
        origin,
        path: pathname + search,
        method: 'POST',
        headers,
        body,
        signal: AbortSignal.any([
          AbortSignal.timeout(this.settings.timeoutMs),
          this.#closing.signal,
        ]),
      });
      delivery.status = answer.statusCode;
      delivery.delivered = answer.statusCode >= 200 && answer.statusCode < 300;
      // The body does not matter.
      await answer.body.dump();
    } catch (error) {
      delivery.problem = describeError(error as Error & { code?: string });
    }
    this.attempted(delivery);
  }

  #signature(
    { kind, body }: OpenDelivery,
    fault: WebhookFault | undefined,
  ): Record<string, string> {
    if (fault === 'unsigned') return {};
    const now = Math.floor(this.clock.now() / 1000);
    const secret = this.settings.secrets[kind];
    return {
      [SIGNATURE_HEADER]: signatureOf(
        fault === 'forged' || fault === 'old_secret' ? secret + OTHER_SECRETS[fault] : secret,
        fault === 'late' ? now - LATE_SECONDS : now,
        body,
      ),
    };
  }
}

/** Such as `ECONNREFUSED` or `TimeoutError`. */
function describeError({ code, name }: Error & { code?: string }): string {
  return typeof code === 'string' ? code : name;
}
