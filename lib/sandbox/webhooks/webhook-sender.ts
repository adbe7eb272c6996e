import { rootCertificates } from 'node:tls';
import { Agent, request } from 'undici';
import { SIGNATURE_HEADER } from '../../wire/index.js';
import { Timers } from '../faults/timers.js';
import type { SandboxClock } from '../sandbox-clock.js';
import type { OpenDelivery } from './delivery-log.js';
import type { WebhookFault } from './webhook-fault.js';
import { signatureOf } from './webhook-signature.js';
import type { WebhookSettings } from './webhook.settings.js';

/** ASSUMPTION: how often, how long and how far apart; nothing is known of the real ones. */
export const MOST_TRIES = 5;
/** Further back than the widest window of an SDK, 30000 seconds. [sdk: java] */
const LATE_SECONDS = 86_400;

/** Sends webhooks, each until it is taken. */
export class WebhookSender {
  readonly #agent: Agent;
  readonly #timers = new Timers();

  constructor(
    private readonly settings: WebhookSettings,
    private readonly clock: SandboxClock,
    private readonly tried: (delivery: OpenDelivery) => void,
  ) {
    const { ca } = settings;
    this.#agent = new Agent({
      // A connection for each try: the application under test may have restarted in between.
      pipelining: 0,
      ...(ca !== undefined && { connect: { ca: [...rootCertificates, ca] } }),
    });
  }

  /** Resolves when the webhook was delivered, given up, or the sandbox closes; never rejects. */
  async send(delivery: OpenDelivery, fault: WebhookFault | undefined): Promise<void> {
    do await this.#try(delivery, fault);
    while (!delivery.delivered && delivery.tries < MOST_TRIES && (await this.#pause(delivery)));
  }

  /** Ends what is under way, and what waits for its next try. */
  async close(): Promise<void> {
    this.#timers.clear();
    await this.#agent.destroy();
  }

  /** Whether another try follows: not when the sandbox closes. */
  #pause({ tries }: OpenDelivery): Promise<boolean> {
    return this.#timers.wait(this.settings.retryDelayMs * 2 ** (tries - 1)).then(
      () => true,
      () => false,
    );
  }

  /** Every try has a timestamp and a signature of its own. Redirects are not followed. */
  async #try(delivery: OpenDelivery, fault: WebhookFault | undefined): Promise<void> {
    delivery.tries += 1;
    delivery.status = delivery.problem = undefined;
    delivery.headers = {
      'content-type': 'application/json',
      ...this.#signature(delivery, fault),
    };
    try {
      const { url, headers, body } = delivery;
      const answer = await request(url, {
        method: 'POST',
        headers,
        body,
        dispatcher: this.#agent,
        signal: AbortSignal.timeout(this.settings.timeoutMs),
      });
      delivery.status = answer.statusCode;
      delivery.delivered = answer.statusCode >= 200 && answer.statusCode < 300;
      // What follows the status changes nothing.
      await answer.body.dump();
    } catch (error) {
      delivery.problem = wordFor(error as Error & { code?: string });
    }
    this.tried(delivery);
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
        fault === 'forged' ? `${secret}-forged` : secret,
        fault === 'late' ? now - LATE_SECONDS : now,
        body,
      ),
    };
  }
}

/** `ECONNREFUSED` and the like; `TimeoutError` where the time was up. */
function wordFor({ code, name }: Error & { code?: string }): string {
  return typeof code === 'string' ? code : name;
}
