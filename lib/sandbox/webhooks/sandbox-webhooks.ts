import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { SIGNATURE_HEADER, WEBHOOK_KINDS, type WebhookKind } from '../../wire/index.js';
import type { SandboxClock } from '../clock.js';
import { problemOfWebhookUrl } from '../option-checks.js';
import { notFound } from '../http/api-exception.js';
import type { WebhookSecrets, WebhookSettings } from '../settings.js';
import { DeliveryLog, type OpenDelivery, type WebhookDelivery } from './delivery-log.js';
import { WebhookSender } from './webhook-sender.js';
import {
  checkOf,
  type PendingWebhook,
  type PendingWebhooks,
  SAMPLE_CONTENT,
  type SignatureCheck,
  subjectOf,
  WEBHOOK_FAULTS,
  webhookBody,
  type WebhookContent,
  type WebhookFault,
} from './webhook.js';

/** More than any test needs. */
const MAX_FAULTS = 1000;

/**
 * The two webhooks: their URLs and faults. Webhooks are sent at least once, in any order, and no
 * answer of the API waits for them.
 *
 * @example
 * sandbox.webhooks.setUrl('finished', `${app.url}/berbix/finished`);
 * sandbox.webhooks.failNext('duplicate');
 * await sandbox.webhooks.sendTest('finished');
 */
export class SandboxWebhooks {
  /** The webhooks so far. */
  readonly deliveries = new DeliveryLog();

  readonly #secrets: WebhookSecrets;
  readonly #urls: Partial<Record<WebhookKind, string>>;
  #sender: WebhookSender;
  readonly #createSender: () => WebhookSender;
  readonly #inFlight = new Set<Promise<unknown>>();
  readonly #pending: PendingWebhooks;
  #faults: { fault: WebhookFault; kind: WebhookKind | undefined }[] = [];
  #closing = false;

  /** @internal */
  constructor(settings: WebhookSettings, clock: SandboxClock, pending: PendingWebhooks) {
    this.#pending = pending;
    this.#secrets = settings.secrets;
    this.#urls = { ...settings.urls };
    this.#createSender = () =>
      new WebhookSender(settings, clock, (delivery) => this.deliveries.attempted(delivery));
    this.#sender = this.#createSender();
  }

  /** Sets the URL of a webhook; `undefined` switches it off. @throws {TypeError} if it is not a URL */
  setUrl(kind: WebhookKind, url: string | undefined): void {
    checkKind(kind);
    const problem = url === undefined ? undefined : problemOfWebhookUrl(url);
    if (problem !== undefined) throw new TypeError(`The URL of a webhook ${problem}.`);
    this.#urls[kind] = url;
  }

  /** The URL of a webhook. */
  url(kind: WebhookKind): string | undefined {
    return this.#urls[kind];
  }

  /**
   * Spoils the next webhook, of this kind or of any. Each call is for one webhook, in the order of
   * the calls.
   *
   * @throws {TypeError} for a fault or a kind that does not exist
   * @throws {RangeError} if 1000 faults are pending
   */
  failNext(fault: WebhookFault, kind?: WebhookKind): void {
    checkFault(fault);
    if (kind !== undefined) checkKind(kind);
    if (this.#faults.length >= MAX_FAULTS) {
      throw new RangeError(
        `${MAX_FAULTS} faults of webhooks are already pending, which is the limit. Clear them: webhooks.clearFaults(), or DELETE /sandbox/webhooks/faults.`,
      );
    }
    this.#faults.push({ fault, kind });
  }

  /** Removes the pending faults. */
  clearFaults(): void {
    this.#faults = [];
  }

  /**
   * Sends the sample of the Test button in the dashboard. [sdk: webhook-demo README]
   *
   * @returns the delivery, when it was delivered or given up, or the sandbox was closed
   * @throws {Error} if the webhook has no URL
   */
  async sendTest(kind: WebhookKind): Promise<WebhookDelivery> {
    checkKind(kind);
    const sent = this.#startNew(kind, SAMPLE_CONTENT);
    if (sent) return sent.end;
    throw new Error(`The ${kind} webhook has no URL. Set one with webhooks.setUrl().`);
  }

  /**
   * The same, but only waits for the first attempt, two seconds at most; undefined if the webhook has no
   * URL. @internal
   */
  async startTest(kind: WebhookKind): Promise<WebhookDelivery | undefined> {
    const sent = this.#startNew(kind, SAMPLE_CONTENT);
    if (!sent) return undefined;
    await this.firstAttempts([sent.delivery]);
    return sent.delivery;
  }

  /**
   * Sends a webhook again, with the same body and a new signature, to the current URL of its kind, or
   * to its old one if there is none.
   *
   * @param id of its delivery
   * @returns the new delivery, when it was delivered or given up, or the sandbox was closed
   * @throws {Error} if the delivery is not in the log any more
   */
  async resend(id: string, fault?: WebhookFault): Promise<WebhookDelivery> {
    return this.#startAgain(id, fault).end;
  }

  /** The same, but only waits for the first attempt, two seconds at most. @internal */
  async startResend(id: string, fault?: WebhookFault): Promise<WebhookDelivery> {
    const { delivery } = this.#startAgain(id, fault);
    await this.firstAttempts([delivery]);
    return delivery;
  }

  /**
   * How a receiver with the secret of its kind checks the latest attempt of a webhook; `undefined` if it
   * has no signature.
   */
  explainSignature({ kind, headers, body }: WebhookDelivery): SignatureCheck | undefined {
    const header = headers[SIGNATURE_HEADER];
    return header === undefined ? undefined : checkOf(header, this.#secrets[kind], body);
  }

  /** @throws {ApiException} 404 if it is not in the log any more @internal */
  delivery(id: string): WebhookDelivery {
    const delivery = this.deliveries.find(id);
    if (delivery) return delivery;
    throw notFound(
      'No webhook with this id is recorded. The sandbox keeps the last 1000; GET /sandbox/webhooks/deliveries lists them.',
    );
  }

  /** Waits for the first attempt of each, two seconds at most. @internal */
  async firstAttempts(deliveries: readonly WebhookDelivery[]): Promise<void> {
    const timeout = setTimeout(FIRST_ATTEMPT_MS, undefined, { ref: false });
    const attempts = deliveries.map((delivery) => this.deliveries.firstAttempt(delivery));
    await Promise.race([Promise.all(attempts), timeout]);
  }

  /** Resolves when every webhook was delivered or given up. */
  async settled(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.all(this.#inFlight);
  }

  /** Sends the webhook if it has a URL. @internal */
  send(kind: WebhookKind, content: WebhookContent): WebhookDelivery | undefined {
    return this.#startNew(kind, content)?.delivery;
  }

  /**
   * Starts the webhooks that the last run did not deliver, with all their attempts: to the current URL,
   * or to their old one if there is none. @internal
   */
  async resume(): Promise<void> {
    for (const webhook of await this.#pending.load()) {
      this.#start({ ...webhook, url: this.#urls[webhook.kind] ?? webhook.url });
    }
  }

  /** Gives up all webhooks, and removes faults and the log; the URLs stay. @internal */
  async reset(): Promise<void> {
    this.clearFaults();
    const [sender, givenUp] = [this.#sender, [...this.#inFlight]];
    this.#sender = this.#createSender();
    await sender.close();
    await Promise.all(givenUp);
    this.deliveries.clear();
  }

  /** Ends all deliveries. @internal */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#sender.close();
    await this.settled();
  }

  #startNew(kind: WebhookKind, content: WebhookContent): StartedDelivery | undefined {
    const url = this.#urls[kind];
    if (url === undefined) return undefined;
    const body = webhookBody(content);
    return this.#start({ id: randomUUID(), kind, url, body, fault: this.#takeFault(kind) });
  }

  #startAgain(id: string, fault: WebhookFault | undefined): StartedDelivery {
    if (fault !== undefined) checkFault(fault);
    const { kind, url: oldUrl, body } = this.delivery(id);
    const url = this.#urls[kind] ?? oldUrl;
    return this.#start({ id: randomUUID(), kind, url, body, fault, resendOf: id });
  }

  #start(webhook: PendingWebhook): StartedDelivery {
    const delivery = this.#add(webhook);
    const end = this.#deliver(delivery, webhook);
    this.#inFlight.add(end);
    void end.then(() => this.#inFlight.delete(end));
    return { delivery, end };
  }

  #add({ id, kind, url, body, fault, resendOf }: PendingWebhook): OpenDelivery {
    const delivery: OpenDelivery = {
      id,
      kind,
      ...subjectOf(body),
      url,
      body,
      headers: {},
      fault,
      resendOf,
      sentAt: undefined,
      attempts: 0,
      status: undefined,
      problem: undefined,
      delivered: false,
    };
    this.deliveries.add(delivery);
    return delivery;
  }

  async #deliver(delivery: OpenDelivery, webhook: PendingWebhook): Promise<WebhookDelivery> {
    const sender = this.#sender;
    // Before it is sent, so that a crash sends it twice rather than never.
    await tryStore(this.#pending.add(webhook));
    await sender.send(delivery, webhook.fault);
    // The next run sends it.
    if (this.#closing && !delivery.delivered) return delivery;
    await tryStore(this.#pending.delete(webhook.id));
    if (webhook.fault !== 'duplicate' || sender !== this.#sender) return delivery;
    const { id: resendOf } = webhook;
    return this.#start({ ...webhook, id: randomUUID(), fault: undefined, resendOf }).end;
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

/** How long somebody who looks on waits for the first attempts, in milliseconds. */
const FIRST_ATTEMPT_MS = 2000;

/** A webhook that cannot be stored is sent nevertheless. */
function tryStore(work: Promise<void>): Promise<void> {
  return work.catch(() => undefined);
}

function checkFault(fault: WebhookFault): void {
  if (WEBHOOK_FAULTS.includes(fault)) return;
  throw new TypeError(`The fault of a webhook must be one of ${WEBHOOK_FAULTS.join(', ')}.`);
}

function checkKind(kind: WebhookKind): void {
  if (WEBHOOK_KINDS.includes(kind)) return;
  throw new TypeError(`The kind of a webhook must be one of ${WEBHOOK_KINDS.join(', ')}.`);
}
