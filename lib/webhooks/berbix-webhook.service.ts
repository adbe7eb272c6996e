import { types } from 'node:util';
import { Inject, Injectable, Logger, type OnModuleDestroy, type Provider } from '@nestjs/common';
import { outside } from '../concurrency/index.js';
import {
  BerbixConfigurationError,
  BerbixInputError,
  isBerbixError,
  logLine,
  readInput,
} from '../errors/index.js';
import { EventBus, failureOf } from '../events/index.js';
import { accountProvider } from '../options/index.js';
import { inSpan } from '../telemetry/index.js';
import { CheckedStore } from '../token-store/index.js';
import { WEBHOOK_KINDS, type WebhookKind } from '../wire/index.js';
import { readWebhook, type BerbixWebhookDto } from './dto/berbix-webhook.dto.js';
import { WebhookDeliveries, type BerbixWebhookOutcome } from './webhook-deliveries.js';
import { WebhookHandlers } from './webhook-handlers.js';
import { checkSignature, readSignature } from './webhook-signature.js';
import { WebhookSweep } from './webhook-sweep.js';
import { BERBIX_WEBHOOK_SETTINGS, WebhookSettings } from './webhook.options.js';

/** The parts of a webhook request. */
export interface BerbixWebhookRequest {
  /** The kind of the webhook, which is known from its route: the body does not say. */
  kind: WebhookKind;
  /** The `X-Berbix-Signature` header, from `request.headers`. */
  header: string | readonly string[] | undefined;
  /**
   * The unchanged bytes of the body: `request.rawBody`, or the same as a UTF-8 string. Never the
   * parsed body, nor JSON that was made from it.
   */
  rawBody: Uint8Array | string | undefined;
  /**
   * The current time, to check the age of the signature.
   * @default the clock of this machine
   */
  now?: Date | undefined;
}

const NO_RAW_BODY =
  'The raw body of a webhook is missing, so its signature cannot be checked. Create the application with ' +
  'NestFactory.create(AppModule, { rawBody: true }), without a body parser of your own that reads the body first.';

/** Checks webhooks, and passes them to the methods with {@link OnBerbixWebhook}. */
@Injectable()
export class BerbixWebhookService implements OnModuleDestroy {
  readonly #logger = new Logger('BerbixWebhooks');
  readonly #deliveries: WebhookDeliveries;
  readonly #sweep: WebhookSweep;
  readonly #settings: WebhookSettings;
  readonly #handlers: WebhookHandlers;
  readonly #events: EventBus;

  constructor(
    @Inject(BERBIX_WEBHOOK_SETTINGS) settings: WebhookSettings,
    @Inject(WebhookHandlers) handlers: WebhookHandlers,
    @Inject(CheckedStore) store: CheckedStore,
    @Inject(EventBus) events: EventBus,
  ) {
    this.#events = events;
    this.#settings = settings;
    this.#handlers = handlers;
    // Keys of tokens never begin like this, since an encoded account has no colon. Tokens are
    // sealed, and webhooks are not.
    const account = encodeURIComponent(settings.account);
    const prefix = `webhook:${account}/`;
    this.#deliveries = new WebhookDeliveries(store, prefix, settings.leaseMs);
    this.#sweep = new WebhookSweep(store, prefix, `webhook-sweep:${account}`);
  }

  /**
   * Checks that a webhook is from Berbix and recent, and reads it.
   *
   * @throws (as a rejection)
   * - {BerbixWebhookSignatureError} it is not
   * - {BerbixWebhookBodyError} its body breaks the contract of Berbix
   * - {BerbixConfigurationError} the raw body or the secret of this kind is missing; or the function
   *   that returns the secrets failed, or took longer than five seconds, and it is `retryable` then
   * - {BerbixInputError} `request` is not an object with a `kind`
   *
   * @example
   * ```ts
   * const webhook = await webhooks.verify({
   *   kind: 'finished',
   *   header: request.headers['x-berbix-signature'],
   *   rawBody: request.rawBody,
   * });
   * ```
   */
  verify(request: BerbixWebhookRequest): Promise<BerbixWebhookDto> {
    return this.#orRejected(request, async (parts) => {
      const { kind } = parts;
      const webhook = readWebhook(kind, await this.#verified(parts));
      const { transactionId } = webhook;
      this.#events.emit('webhook.accepted', () => ({ webhook: kind, transactionId }));
      return webhook;
    });
  }

  /**
   * Only checks that a webhook is from Berbix and recent, if you read its body yourself. Rejects as
   * {@link verify} does. It emits `webhook.rejected` then, but never `webhook.accepted`.
   */
  verifySignature(request: BerbixWebhookRequest): Promise<void> {
    return this.#orRejected(request, async (parts) => void (await this.#verified(parts)));
  }

  /** Runs a check, with an event if it refuses the webhook. */
  async #orRejected<T>(
    request: BerbixWebhookRequest,
    check: (parts: BerbixWebhookRequest) => Promise<T>,
  ): Promise<T> {
    const parts = readRequest(request);
    try {
      return await check(parts);
    } catch (error) {
      if (isBerbixError(error)) {
        const { kind } = parts;
        this.#events.emit('webhook.rejected', () => ({ webhook: kind, ...failureOf(error) }));
      }
      throw error;
    }
  }

  /** The bytes of the body, after its signature was checked. */
  async #verified({ kind, header, rawBody, now }: BerbixWebhookRequest): Promise<Uint8Array> {
    const signature = readSignature(header);
    const given = this.#settings.secrets(kind);
    // Without `await` if there is no promise.
    const secrets = given instanceof Promise ? await given : given;
    const bytes = typeof rawBody === 'string' ? Buffer.from(rawBody) : rawBody;
    if (!types.isUint8Array(bytes)) throw new BerbixConfigurationError(NO_RAW_BODY);
    const moment = now ?? new Date();
    checkSignature(signature, bytes, secrets, moment.getTime(), this.#settings.toleranceMs);
    return bytes;
  }

  /**
   * Runs the methods with `@OnBerbixWebhook` of this kind, unless the same webhook was already
   * handled. Use it in your own controller. Answer with 2xx, except for `busy` and rejections, so
   * that Berbix sends the webhook again.
   *
   * @param webhook from {@link verify} or `@BerbixWebhook()`
   * @throws (as a rejection) the error of a handler, or
   * - {BerbixStoreError} the store failed, or did not answer within `storeTimeoutMs`, before a handler
   *   ran
   * - {BerbixConfigurationError} no method handles this kind, and `webhooks.confirmUnhandled` is not set
   * - {BerbixInputError} `webhook` is not one
   */
  async handle(webhook: BerbixWebhookDto): Promise<BerbixWebhookOutcome> {
    const { kind, transactionId } = identify(webhook);
    if (!this.#handlers.has(kind)) {
      if (this.#settings.confirmUnhandled) {
        this.#tellResult(webhook);
        return 'ignored';
      }
      const problem = this.#settings.unhandled(kind);
      this.#logger.error(`A ${kind} webhook of transaction ${transactionId} arrived. ${problem}`);
      throw new BerbixConfigurationError(problem);
    }
    const about = { webhook: kind, transactionId };
    const outcome = await inSpan('berbix.webhook.handle', { 'berbix.webhook.kind': kind }, () =>
      this.#deliveries.once(webhook, () => this.#run(webhook)),
    );
    if (outcome === 'handled') {
      this.#events.emit('webhook.handled', () => about);
      this.#beginSweep();
    } else if (outcome === 'repeated') {
      this.#events.emit('webhook.repeated', () => about);
      this.#logger.log(`A ${kind} webhook of transaction ${transactionId} was repeated.`);
    }
    return outcome;
  }

  onModuleDestroy(): void {
    this.#sweep.stop();
  }

  async #run(webhook: BerbixWebhookDto): Promise<void> {
    const { kind, transactionId } = webhook;
    try {
      await this.#handlers.run(webhook);
    } catch (error) {
      this.#events.emit('webhook.failed', () => ({ webhook: kind, transactionId }));
      throw error;
    }
    this.#tellResult(webhook);
  }

  #tellResult({ kind, transactionId, customerUid, action }: BerbixWebhookDto): void {
    if (kind !== 'status' || action === undefined) return;
    this.#events.emit('verification.decided', () => ({ transactionId, customerUid, action }));
  }

  #beginSweep(): void {
    // Outside the async context of this webhook, since the sweep is for all of them.
    outside(() => this.#sweep.begin()).catch((error: unknown) => {
      this.#logger.warn(logLine('The records of old webhooks could not be removed.', error));
    });
  }
}

const VERIFY_EXPECTED = 'verify() takes { kind, header, rawBody }.';

/** @throws {BerbixInputError} for invalid arguments */
function readRequest(request: BerbixWebhookRequest): BerbixWebhookRequest {
  const { kind, header, rawBody, now } = readInput(VERIFY_EXPECTED, () => ({
    kind: request.kind,
    header: request.header,
    rawBody: request.rawBody,
    now: request.now,
  }));
  if (!WEBHOOK_KINDS.includes(kind)) {
    throw new BerbixInputError(`The kind of a webhook must be ${WEBHOOK_KINDS.join(' or ')}.`);
  }
  if (now !== undefined && !types.isDate(now)) {
    throw new BerbixInputError('now must be a Date. Omit it to use the clock of this machine.');
  }
  return { kind, header, rawBody, now };
}

const HANDLE_EXPECTED = 'handle() takes a webhook from verify() or @BerbixWebhook().';

/** @throws {BerbixInputError} if it is not a webhook */
function identify(webhook: BerbixWebhookDto): Pick<BerbixWebhookDto, 'kind' | 'transactionId'> {
  const { kind, transactionId } = readInput(HANDLE_EXPECTED, () => ({
    kind: webhook.kind,
    transactionId: webhook.transactionId,
  }));
  if (WEBHOOK_KINDS.includes(kind) && typeof transactionId === 'string')
    return { kind, transactionId };
  throw new BerbixInputError(HANDLE_EXPECTED);
}

/**
 * The providers for the webhooks of an account. They need BERBIX_WEBHOOK_SETTINGS, a CheckedStore, an
 * EventBus and the DiscoveryModule of Nest.
 */
export function webhookProviders(account: string): Provider[] {
  return [
    WebhookHandlers,
    accountProvider(account, BerbixWebhookService, [
      BERBIX_WEBHOOK_SETTINGS,
      WebhookHandlers,
      CheckedStore,
      EventBus,
    ]),
  ];
}
