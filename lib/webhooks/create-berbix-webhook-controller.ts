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
import { isBerbixError } from '../errors/index.js';
import { onlyKnown } from '../http/index.js';
import { BerbixWebhook, BerbixWebhookGuard, BerbixWebhookKind } from './berbix-webhook.guard.js';
import type { BerbixWebhookService } from './berbix-webhook.service.js';
import type { BerbixWebhookDto } from './dto/berbix-webhook.dto.js';
import type { BerbixWebhookOutcome } from './webhook-deliveries.js';
import { HANDS_OVER } from './webhook-route.js';
import { getBerbixWebhookServiceToken } from './webhook-service.token.js';

/** Options of {@link createBerbixWebhookController}. */
export interface BerbixWebhookControllerOptions {
  /**
   * The path of both routes, below a global prefix if there is one.
   * @default 'webhooks/berbix'
   */
  path?: string | undefined;

  /**
   * Where the hook that tells of a completed flow goes, below `path`.
   * @default 'finished'
   */
  finishedPath?: string | undefined;

  /**
   * Where the hook that tells of a new action goes, below `path`.
   * @default 'status'
   */
  statusPath?: string | undefined;

  /**
   * The version of the routes, where the application has versioning. With `VERSION_NEUTRAL` the path
   * has no version, whatever the default of the application is.
   * @default that of the application
   */
  version?: ControllerOptions['version'] | undefined;

  /** The name of the account, if `forRoot` was given one. */
  name?: string | undefined;

  /** Decorators for the class: what exempts it from guards and throttlers of yours, such as `SkipThrottle()`. */
  decorators?: readonly ClassDecorator[] | undefined;
}

const OPTION_NAMES = [
  'path',
  'finishedPath',
  'statusPath',
  'version',
  'name',
  'decorators',
] satisfies (keyof BerbixWebhookControllerOptions)[];

/**
 * Makes a controller that takes webhooks, checks them as {@link BerbixWebhookGuard} does and hands them to
 * the methods with {@link OnBerbixWebhook}. List it in the `controllers` of a module of yours; every
 * call makes a class of its own.
 *
 * It answers 204 when the handlers have done their work, now or before; 500 when one of them has
 * failed or there is none, and 503 while the same transaction is being handled elsewhere or the store is down, so that
 * Berbix sends the webhook again.
 *
 * @throws {BerbixConfigurationError} for an option that does not exist
 *
 * @example
 * ```ts
 * controllers: [createBerbixWebhookController({ decorators: [Public(), SkipThrottle()] })]
 * ```
 */
export function createBerbixWebhookController(options: BerbixWebhookControllerOptions = {}): Type {
  onlyKnown('createBerbixWebhookController', options, OPTION_NAMES);
  const { path = 'webhooks/berbix', finishedPath = 'finished', statusPath = 'status' } = options;
  const { name, version, decorators = [] } = options;

  @applyDecorators(...decorators)
  @SetMetadata(HANDS_OVER, true)
  @Controller({ path, ...(version !== undefined && { version }) })
  @UseGuards(BerbixWebhookGuard)
  class BerbixWebhookController {
    readonly #logger = new Logger(BerbixWebhookController.name);

    constructor(@Inject(ModuleRef) private readonly moduleRef: ModuleRef) {}

    // A global ValidationPipe would strip an object of a class that it knows no rules for.
    @Post(finishedPath)
    @HttpCode(HttpStatus.NO_CONTENT)
    @BerbixWebhookKind('finished', name)
    finished(@BerbixWebhook() webhook: object): Promise<void> {
      return this.#take(webhook as BerbixWebhookDto);
    }

    @Post(statusPath)
    @HttpCode(HttpStatus.NO_CONTENT)
    @BerbixWebhookKind('status', name)
    status(@BerbixWebhook() webhook: object): Promise<void> {
      return this.#take(webhook as BerbixWebhookDto);
    }

    async #take(webhook: BerbixWebhookDto): Promise<void> {
      const token = getBerbixWebhookServiceToken(name);
      const service = this.moduleRef.get<BerbixWebhookService>(token, { strict: false });
      if ((await this.#handle(service, webhook)) === 'busy')
        throw new ServiceUnavailableException();
    }

    /** Never with what a handler throws: it may have a status that Berbix takes for an end. */
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
        this.#logger.error(`A ${webhook.kind} webhook is refused for now: ${error.message}`);
        throw new ServiceUnavailableException();
      }
    }
  }

  return BerbixWebhookController;
}
