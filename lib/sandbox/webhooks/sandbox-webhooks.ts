import { WEBHOOK_KINDS, type WebhookKind } from '../../wire/index.js';
import type { SandboxClock } from '../sandbox-clock.js';
import { DeliveryLog, type OpenDelivery, type WebhookDelivery } from './delivery-log.js';
import { SAMPLE_CONTENT, webhookBody, type WebhookContent } from './webhook-body.js';
import { WEBHOOK_FAULTS, type WebhookFault } from './webhook-fault.js';
import { WebhookSender } from './webhook-sender.js';
import { problemOfUrl, type WebhookSettings } from './webhook.settings.js';

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
  #faults: { fault: WebhookFault; kind: WebhookKind | undefined }[] = [];

  /** @internal */
  constructor(settings: WebhookSettings, clock: SandboxClock) {
    this.#urls = { ...settings.urls };
    this.#sender = new WebhookSender(settings, clock);
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
   */
  failNext(fault: WebhookFault, kind?: WebhookKind): void {
    if (!WEBHOOK_FAULTS.includes(fault)) {
      throw new TypeError(`The fault of a webhook must be one of ${WEBHOOK_FAULTS.join(', ')}.`);
    }
    if (kind !== undefined) checkKind(kind);
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
    const delivery = this.#send(kind, SAMPLE_CONTENT);
    if (delivery) return delivery;
    throw new Error(`The ${kind} webhook has no URL. Set one with webhooks.setUrl().`);
  }

  /** Resolves when no webhook is under way or waits for its next try. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** Sends what happened, if the webhook has a URL. @internal */
  announce(kind: WebhookKind, content: WebhookContent): void {
    void this.#send(kind, content);
  }

  /** Ends what is under way. @internal */
  async close(): Promise<void> {
    await this.#sender.close();
    await this.settled();
  }

  #send(kind: WebhookKind, content: WebhookContent): Promise<WebhookDelivery> | undefined {
    const url = this.#urls[kind];
    if (url === undefined) return undefined;
    const delivery = this.#deliver(kind, url, webhookBody(content), this.#takeFault(kind));
    this.#underWay.add(delivery);
    void delivery.then(() => this.#underWay.delete(delivery));
    return delivery;
  }

  async #deliver(
    kind: WebhookKind,
    url: string,
    body: string,
    fault: WebhookFault | undefined,
  ): Promise<WebhookDelivery> {
    const delivery: OpenDelivery = {
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
    await this.#sender.send(delivery, fault);
    return fault === 'duplicate' ? this.#deliver(kind, url, body, undefined) : delivery;
  }

  #takeFault(kind: WebhookKind): WebhookFault | undefined {
    const index = this.#faults.findIndex((candidate) => (candidate.kind ?? kind) === kind);
    return index === -1 ? undefined : this.#faults.splice(index, 1)[0]?.fault;
  }
}

function checkKind(kind: WebhookKind): void {
  if (WEBHOOK_KINDS.includes(kind)) return;
  throw new TypeError(`The kind of a webhook must be one of ${WEBHOOK_KINDS.join(', ')}.`);
}
