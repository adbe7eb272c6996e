import { types } from 'node:util';
import { Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { outside } from '../concurrency/index.js';
import {
  BerbixConfigurationError,
  BerbixInputError,
  readInput,
  type BerbixStoreError,
} from '../errors/index.js';
import { CheckedStore } from '../token-store/index.js';
import { WEBHOOK_KINDS, type WebhookKind } from '../wire/index.js';
import type { BerbixWebhookDto } from './dto/berbix-webhook.dto.js';
import { readWebhook } from './webhook-body.js';
import { WebhookDeliveries, type BerbixWebhookOutcome } from './webhook-deliveries.js';
import { WebhookHandlers } from './webhook-handlers.js';
import { checkSignature, readSignature } from './webhook-signature.js';
import { WebhookSweep } from './webhook-sweep.js';
import { BERBIX_WEBHOOK_SETTINGS, WebhookSettings } from './webhook.settings.js';

/** A webhook as it came over HTTP. */
export interface BerbixWebhookRequest {
  /** Which hook it is, known from the route it came to: the body does not tell. */
  kind: WebhookKind;
  /** The value of the `X-Berbix-Signature` header, as it is in `request.headers`. */
  header: string | readonly string[] | undefined;
  /**
   * The bytes of the body as they came: `request.rawBody`, or a string of them in UTF-8; never the
   * parsed body, nor what JSON.stringify makes of it.
   */
  rawBody: Uint8Array | string | undefined;
  /**
   * The time that the signature is held against.
   * @default the clock of this machine
   */
  now?: Date | undefined;
}

const NO_RAW_BODY =
  'A webhook came without the bytes of its body, so its signature cannot be checked. Start the application ' +
  'with them: NestFactory.create(AppModule, { rawBody: true }); and let no parser of your own take the body first.';

/** Checks webhooks and hands them to the methods with {@link OnBerbixWebhook}. */
@Injectable()
export class BerbixWebhookService implements OnModuleDestroy {
  readonly #logger = new Logger('BerbixWebhooks');
  readonly #deliveries: WebhookDeliveries;
  readonly #sweep: WebhookSweep;

  readonly #settings: WebhookSettings;
  readonly #handlers: WebhookHandlers;

  constructor(
    @Inject(BERBIX_WEBHOOK_SETTINGS) settings: WebhookSettings,
    @Inject(WebhookHandlers) handlers: WebhookHandlers,
    @Inject(CheckedStore) store: CheckedStore,
  ) {
    this.#settings = settings;
    this.#handlers = handlers;
    // No key of tokens begins so, for an encoded name has no colon: those are sealed, these are not.
    const account = encodeURIComponent(settings.account ?? 'default');
    const prefix = `webhook:${account}/`;
    this.#deliveries = new WebhookDeliveries(store, prefix, settings.leaseMs);
    this.#sweep = new WebhookSweep(store, prefix, `webhook-sweep:${account}`);
  }

  /**
   * Checks that a webhook is from Berbix and recent, and reads it.
   *
   * Rejects with a {@link BerbixWebhookSignatureError} if it is not, a {@link BerbixWebhookBodyError} if its
   * body is not what Berbix promises, and a {@link BerbixConfigurationError} where there is no secret
   * for this kind or no raw body; one that is `retryable` where the function that gives the secrets
   * has failed, or did not answer within five seconds.
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
  async verify(request: BerbixWebhookRequest): Promise<BerbixWebhookDto> {
    const parts = partsOf(request);
    return readWebhook(parts.kind, await this.#verified(parts));
  }

  /**
   * Checks that a webhook is from Berbix and recent, and nothing else: for those who read its body
   * themselves. Rejects as {@link verify} does.
   */
  async verifySignature(request: BerbixWebhookRequest): Promise<void> {
    await this.#verified(partsOf(request));
  }

  /** The bytes of the body, once the signature is found to be good. */
  async #verified({ kind, header, rawBody, now }: BerbixWebhookRequest): Promise<Uint8Array> {
    const signature = readSignature(header);
    const given = this.#settings.secrets(kind);
    // Waited for only where there is something to wait for.
    const secrets = given instanceof Promise ? await given : given;
    const bytes = typeof rawBody === 'string' ? Buffer.from(rawBody) : rawBody;
    if (!types.isUint8Array(bytes)) throw new BerbixConfigurationError(NO_RAW_BODY);
    const moment = now ?? new Date();
    checkSignature(signature, bytes, secrets, moment.getTime(), this.#settings.toleranceMs);
    return bytes;
  }

  /**
   * Runs the methods with `@OnBerbixWebhook` of this kind, unless the same webhook was handled before.
   * For a controller of your own; answer 2xx to all but `busy` and rejections, which Berbix should send
   * again.
   *
   * Rejects with what a handler throws, and with a {@link BerbixStoreError} if the store failed before
   * any of them ran, or did not answer within `storeTimeoutMs`; where no method handles this kind, with a
   * {@link BerbixConfigurationError}, unless `webhooks.confirmUnhandled` is set.
   *
   * @param webhook from {@link verify} or `@BerbixWebhook()`
   */
  async handle(webhook: BerbixWebhookDto): Promise<BerbixWebhookOutcome> {
    const { kind, transactionId } = handled(webhook);
    if (!this.#handlers.has(kind)) {
      if (this.#settings.confirmUnhandled) return 'ignored';
      const problem = this.#settings.unhandled(kind);
      this.#logger.error(`A ${kind} webhook of transaction ${transactionId} came. ${problem}`);
      throw new BerbixConfigurationError(problem);
    }
    const outcome = await this.#deliveries.once(webhook, () => this.#handlers.run(webhook));
    if (outcome === 'repeated') {
      this.#logger.log(`A ${kind} webhook of transaction ${transactionId} came again.`);
    }
    if (outcome === 'handled') this.#beginSweep();
    return outcome;
  }

  onModuleDestroy(): void {
    this.#sweep.stop();
  }

  #beginSweep(): void {
    // It serves all webhooks: not in the async context of one of them.
    outside(() => this.#sweep.begin()).catch(({ message }: BerbixStoreError) => {
      this.#logger.warn(`Old webhooks could not be forgotten. ${message}`);
    });
  }
}

const VERIFY_TAKES = 'A webhook is checked by { kind, header, rawBody }.';

/** @throws {BerbixInputError} when it is not what can be checked */
function partsOf(request: BerbixWebhookRequest): BerbixWebhookRequest {
  const { kind, header, rawBody, now } = readInput(VERIFY_TAKES, () => ({
    kind: request.kind,
    header: request.header,
    rawBody: request.rawBody,
    now: request.now,
  }));
  if (!WEBHOOK_KINDS.includes(kind)) {
    throw new BerbixInputError(`The kind of a webhook is one of ${WEBHOOK_KINDS.join(', ')}.`);
  }
  if (now !== undefined && !types.isDate(now)) {
    throw new BerbixInputError('now must be a Date, or left out for the clock of this machine.');
  }
  return { kind, header, rawBody, now };
}

const HANDLE_TAKES = 'handle() takes a webhook from verify() or @BerbixWebhook().';

/** @throws {BerbixInputError} when it is not a webhook */
function handled(webhook: BerbixWebhookDto): Pick<BerbixWebhookDto, 'kind' | 'transactionId'> {
  const { kind, transactionId } = readInput(HANDLE_TAKES, () => ({
    kind: webhook.kind,
    transactionId: webhook.transactionId,
  }));
  if (WEBHOOK_KINDS.includes(kind) && typeof transactionId === 'string')
    return { kind, transactionId };
  throw new BerbixInputError(HANDLE_TAKES);
}
