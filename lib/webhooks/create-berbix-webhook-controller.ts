import {
  Controller,
  HttpCode,
  HttpStatus,
  Inject,
  InternalServerErrorException,
  Logger,
  Post,
  ServiceUnavailableException,
  SetMetadata,
  UseGuards,
  applyDecorators,
  type ControllerOptions,
  type Type,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { isBerbixError, logLine } from '../errors/index.js';
import { getBerbixToken, onlyKnown } from '../options/index.js';
import { BerbixWebhook, BerbixWebhookGuard } from './berbix-webhook.guard.js';
import { BerbixWebhookService } from './berbix-webhook.service.js';
import type { BerbixWebhookDto } from './dto/berbix-webhook.dto.js';
import type { BerbixWebhookOutcome } from './webhook-deliveries.js';
import { BerbixWebhookKind, HANDS_OVER } from './webhook.decorators.js';

/** The options of {@link createBerbixWebhookController}. */
export interface BerbixWebhookControllerOptions {
  /**
   * The path of both routes, below the global prefix if there is one.
   * @default 'webhooks/berbix'
   */
  path?: string | undefined;

  /**
   * The path of the webhook for a completed flow, below `path`.
   * @default 'finished'
   */
  finishedPath?: string | undefined;

  /**
   * The path of the webhook for a new or changed action, below `path`.
   * @default 'status'
   */
  statusPath?: string | undefined;

  /**
   * The version of the routes, if the application has versioning. With `VERSION_NEUTRAL`, the path
   * has no version, regardless of the application's default.
   * @default the version of the application
   */
  version?: ControllerOptions['version'] | undefined;

  /** The account, as passed to `forRoot`, if there is one. */
  account?: string | undefined;

  /**
   * Decorators for the class, such as `SkipThrottle()` to exempt it from your guards and
   * throttlers.
   */
  decorators?: readonly ClassDecorator[] | undefined;
}

const OPTION_NAMES: Record<keyof BerbixWebhookControllerOptions, true> = {
  path: true,
  finishedPath: true,
  statusPath: true,
  version: true,
  account: true,
  decorators: true,
};

/**
 * Creates a controller that receives webhooks, checks them with {@link BerbixWebhookGuard}, and
 * passes them to the methods with {@link OnBerbixWebhook}. Add it to the `controllers` of one of
 * your modules; each call creates another class.
 *
 * - 204: the handlers have succeeded, now or before.
 * - 500: a handler has failed, or there is none.
 * - 503: another delivery for the transaction is being handled, or the store is down.
 *
 * After the last two, Berbix may send the webhook again.
 *
 * @throws {BerbixConfigurationError} for an unknown option
 *
 * @example
 * ```ts
 * controllers: [createBerbixWebhookController({ decorators: [Public(), SkipThrottle()] })]
 * ```
 */
export function createBerbixWebhookController(options: BerbixWebhookControllerOptions = {}): Type {
  onlyKnown<BerbixWebhookControllerOptions>('createBerbixWebhookController', options, OPTION_NAMES);
  const { path = 'webhooks/berbix', finishedPath = 'finished', statusPath = 'status' } = options;
  const { account, version, decorators = [] } = options;

  @applyDecorators(...decorators)
  @SetMetadata(HANDS_OVER, true)
  @Controller({ path, ...(version !== undefined && { version }) })
  @UseGuards(BerbixWebhookGuard)
  class BerbixWebhookController {
    readonly #logger = new Logger(BerbixWebhookController.name);

    constructor(@Inject(ModuleRef) private readonly moduleRef: ModuleRef) {}

    // `object`, since a global ValidationPipe would strip a class without validation rules.
    @Post(finishedPath)
    @HttpCode(HttpStatus.NO_CONTENT)
    @BerbixWebhookKind('finished', account)
    finished(@BerbixWebhook() webhook: object): Promise<void> {
      return this.#take(webhook as BerbixWebhookDto);
    }

    @Post(statusPath)
    @HttpCode(HttpStatus.NO_CONTENT)
    @BerbixWebhookKind('status', account)
    status(@BerbixWebhook() webhook: object): Promise<void> {
      return this.#take(webhook as BerbixWebhookDto);
    }

    async #take(webhook: BerbixWebhookDto): Promise<void> {
      const token = getBerbixToken(BerbixWebhookService, account);
      const service = this.moduleRef.get<BerbixWebhookService>(token, { strict: false });
      if ((await this.#handle(service, webhook)) === 'busy')
        throw new ServiceUnavailableException();
    }

    /**
     * Does not pass on what a handler throws: with its status, Berbix may stop sending the webhook.
     */
    async #handle(
      service: BerbixWebhookService,
      webhook: BerbixWebhookDto,
    ): Promise<BerbixWebhookOutcome> {
      try {
        return await service.handle(webhook);
      } catch (error) {
        if (!isBerbixError(error) || error.code !== 'BERBIX_STORE') {
          throw new InternalServerErrorException();
        }
        this.#logger.error(logLine(`A ${webhook.kind} webhook is refused for now:`, error));
        throw new ServiceUnavailableException();
      }
    }
  }

  return BerbixWebhookController;
}
