import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { WEBHOOK_KINDS, type WebhookKind } from '../../wire/index.js';
import type { SandboxClock } from '../sandbox-clock.js';
import { DeliveryLog, type OpenDelivery, type WebhookDelivery } from './delivery-log.js';
import type { PendingWebhook, PendingWebhooks } from './pending-webhooks.js';
import { SAMPLE_CONTENT, webhookBody, type WebhookContent } from './webhook-body.js';
import { WEBHOOK_FAULTS, type WebhookFault } from './webhook-fault.js';
import { WebhookSender } from './webhook-sender.js';
import { problemOfUrl, type WebhookSettings } from './webhook.settings.js';

/** More than any test needs. */
const MOST_FAULTS = 1000;

/**
 * The two webhooks: where they go, and what they do wrong. They are sent at least once, in no order
 * that can be relied on, and never keep an answer of the API waiting.
 *
 * @example
 * sandbox.webhooks.setUrl('finished', `${app.url}/berbix/finished`);
 * sandbox.webhooks.failNext('duplicate');
 * await sandbox.webhooks.sendTest('finished');
 */
export class SandboxWebhooks {
  /** What was sent. */
  readonly deliveries = new DeliveryLog();

  readonly #urls: Partial<Record<WebhookKind, string>>;
  readonly #sender: WebhookSender;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #pending: PendingWebhooks;
  #faults: { fault: WebhookFault; kind: WebhookKind | undefined }[] = [];
  #closing = false;

  /** @internal */
  constructor(settings: WebhookSettings, clock: SandboxClock, pending: PendingWebhooks) {
    this.#pending = pending;
    this.#urls = { ...settings.urls };
    this.#sender = new WebhookSender(settings, clock, (delivery) =>
      this.deliveries.tried(delivery),
    );
  }

  /** Where a webhook goes from now on; `undefined` switches it off. @throws {TypeError} for no URL */
  setUrl(kind: WebhookKind, url: string | undefined): void {
    checkKind(kind);
    const problem = url === undefined ? undefined : problemOfUrl(url);
    if (problem !== undefined) throw new TypeError(`The URL of a webhook ${problem}.`);
    this.#urls[kind] = url;
  }

  /** Where a webhook goes. */
  url(kind: WebhookKind): string | undefined {
    return this.#urls[kind];
  }

  /**
   * Lets the next webhook, of this kind or of any, go wrong, whatever it is sent for. Each call is
   * for one webhook, in the order of the calls.
   *
   * @throws {TypeError} for a fault or a kind that does not exist
   * @throws {RangeError} if 1000 of them wait
   */
  failNext(fault: WebhookFault, kind?: WebhookKind): void {
    if (!WEBHOOK_FAULTS.includes(fault)) {
      throw new TypeError(`The fault of a webhook must be one of ${WEBHOOK_FAULTS.join(', ')}.`);
    }
    if (kind !== undefined) checkKind(kind);
    if (this.#faults.length >= MOST_FAULTS) {
      throw new RangeError(
        `${MOST_FAULTS} faults of webhooks are already pending, which is the limit. Clear them: webhooks.clearFaults(), or DELETE /sandbox/webhooks/faults.`,
      );
    }
    this.#faults.push({ fault, kind });
  }

  /** Forgets the faults that have not happened yet. */
  clearFaults(): void {
    this.#faults = [];
  }

  /**
   * Sends the sample that the Test button of the dashboard sends. [sdk: webhook-demo README]
   *
   * @returns what became of it, once it was delivered or given up, or the sandbox closed
   * @throws {Error} where the webhook has no URL
   */
  async sendTest(kind: WebhookKind): Promise<WebhookDelivery> {
    checkKind(kind);
    const sent = this.#send(kind, SAMPLE_CONTENT);
    if (sent) return sent.end;
    throw new Error(`The ${kind} webhook has no URL. Set one with webhooks.setUrl().`);
  }

  /**
   * The same without waiting for further tries: resolves after the first try, or when that takes
   * longer than two seconds; `undefined` where the webhook has no URL. @internal
   */
  async startTest(kind: WebhookKind): Promise<WebhookDelivery | undefined> {
    const sent = this.#send(kind, SAMPLE_CONTENT);
    if (!sent) return undefined;
    const patience = setTimeout(MOST_TEST_MS, undefined, { ref: false });
    await Promise.race([this.deliveries.firstTry(sent.delivery), sent.end, patience]);
    return sent.delivery;
  }

  /** Resolves when no webhook is under way or waits for its next try. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** Sends what happened, if the webhook has a URL. @internal */
  announce(kind: WebhookKind, content: WebhookContent): void {
    void this.#send(kind, content);
  }

  /**
   * Sends what the run before had not delivered: to where the webhook goes now, or where it went, and
   * with as many tries as if it were new. Resolves when all of it is under way. @internal
   */
  async resume(): Promise<void> {
    for (const webhook of await this.#pending.load()) {
      this.#start({ ...webhook, url: this.#urls[webhook.kind] ?? webhook.url });
    }
  }

  /** Ends what is under way. @internal */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#sender.close();
    await this.settled();
  }

  #send(kind: WebhookKind, content: WebhookContent): StartedDelivery | undefined {
    const url = this.#urls[kind];
    if (url === undefined) return undefined;
    const body = webhookBody(content);
    return this.#start({ id: randomUUID(), kind, url, body, fault: this.#takeFault(kind) });
  }

  #start(webhook: PendingWebhook): StartedDelivery {
    const delivery = this.#add(webhook);
    const end = this.#deliver(delivery, webhook);
    this.#underWay.add(end);
    void end.then(() => this.#underWay.delete(end));
    return { delivery, end };
  }

  #add({ id, kind, url, body }: PendingWebhook): OpenDelivery {
    const delivery: OpenDelivery = {
      id,
      kind,
      url,
      body,
      headers: {},
      tries: 0,
      status: undefined,
      problem: undefined,
      delivered: false,
    };
    this.deliveries.add(delivery);
    return delivery;
  }

  async #deliver(delivery: OpenDelivery, webhook: PendingWebhook): Promise<WebhookDelivery> {
    // Before it is sent, so that one more is sent rather than none.
    await kept(this.#pending.add(webhook));
    await this.#sender.send(delivery, webhook.fault);
    // What the end of the sandbox has cut short is for its next run.
    if (this.#closing && !delivery.delivered) return delivery;
    await kept(this.#pending.delete(webhook.id));
    if (webhook.fault !== 'duplicate') return delivery;
    return this.#start({ ...webhook, id: randomUUID(), fault: undefined }).end;
  }

  #takeFault(kind: WebhookKind): WebhookFault | undefined {
    const index = this.#faults.findIndex((candidate) => (candidate.kind ?? kind) === kind);
    return index === -1 ? undefined : this.#faults.splice(index, 1)[0]?.fault;
  }
}

/** A delivery, and how it will be in the end. */
interface StartedDelivery {
  readonly delivery: WebhookDelivery;
  readonly end: Promise<WebhookDelivery>;
}

/** How long the sender of a test waits for its first try, in milliseconds. */
const MOST_TEST_MS = 2000;

/** A webhook that cannot be kept is sent all the same. */
function kept(work: Promise<void>): Promise<void> {
  return work.catch(() => undefined);
}

function checkKind(kind: WebhookKind): void {
  if (WEBHOOK_KINDS.includes(kind)) return;
  throw new TypeError(`The kind of a webhook must be one of ${WEBHOOK_KINDS.join(', ')}.`);
}
