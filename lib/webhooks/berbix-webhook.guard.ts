import type { IncomingHttpHeaders } from 'node:http';
import { types } from 'node:util';
import {
  BadRequestException,
  Inject,
  Injectable,
  Logger,
  ServiceUnavailableException,
  UnauthorizedException,
  createParamDecorator,
  type CanActivate,
  type ExecutionContext,
  type HttpException,
  type RawBodyRequest,
} from '@nestjs/common';
import { ModuleRef, Reflector } from '@nestjs/core';
import {
  BerbixConfigurationError,
  BerbixWebhookSignatureError,
  isBerbixError,
  logLine,
  type BerbixErrorCode,
} from '../errors/index.js';
import { findService } from '../options/index.js';
import { SIGNATURE_HEADER } from '../wire/index.js';
import { BerbixWebhookService } from './berbix-webhook.service.js';
import type { BerbixWebhookDto } from './dto/berbix-webhook.dto.js';
import { RECEIVES, type WebhookRoute } from './webhook.decorators.js';

const GUARD = { name: 'BerbixWebhookGuard', decorator: '@BerbixWebhookKind' };

const WEBHOOK: unique symbol = Symbol.for('berbix:webhook') as never;

/** A request of Express or Fastify. */
interface WebhookHttpRequest extends RawBodyRequest<{ headers: IncomingHttpHeaders }> {
  body?: unknown;
  [WEBHOOK]?: BerbixWebhookDto;
}

/**
 * Injects the checked {@link BerbixWebhookDto} of the request; needs {@link BerbixWebhookGuard}.
 */
export const BerbixWebhook = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const webhook = getRequest(context)[WEBHOOK];
  if (webhook !== undefined) return webhook;
  throw new BerbixConfigurationError(
    '@BerbixWebhook() found no checked webhook. Add @UseGuards(BerbixWebhookGuard) to the route.',
  );
});

/**
 * Admits only requests that are webhooks signed by Berbix, on Express and Fastify. It needs the raw
 * body: `NestFactory.create(AppModule, { rawBody: true })`, or a body parser that leaves the bytes
 * of this route in `request.body`, such as `express.raw()`.
 *
 * - 401: the webhook may be a forgery: its signature is wrong, or a secret or the raw body is
 *   missing.
 * - 400: the signature is valid, but the body breaks the contract of Berbix.
 * - 503: the function that returns the secrets failed or took too long.
 *
 * The answer says no more. The log has the reason: as an error if it is a mistake of the
 * application, otherwise as a warning.
 *
 * Use it as `@UseGuards(BerbixWebhookGuard)` with `@BerbixWebhookKind('finished')` on a handler
 * such as `finished(@BerbixWebhook() webhook: BerbixWebhookDto)`.
 */
@Injectable()
export class BerbixWebhookGuard implements CanActivate {
  readonly #logger = new Logger(BerbixWebhookGuard.name);

  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = getRequest(context);
    try {
      const { kind, account } = this.#routeOf(context);
      const rawBody = rawBodyFrom(request);
      if (rawBody === undefined) refuseNonJson(request.headers);
      request[WEBHOOK] = await findService(
        this.moduleRef,
        BerbixWebhookService,
        account,
        GUARD,
      ).verify({
        kind,
        header: request.headers[SIGNATURE_HEADER],
        rawBody,
      });
      return true;
    } catch (error) {
      throw this.#refusal(error);
    }
  }

  #routeOf(context: ExecutionContext): WebhookRoute {
    const route = this.reflector.getAllAndOverride<WebhookRoute | undefined>(RECEIVES, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (route !== undefined) return route;
    throw new BerbixConfigurationError(
      `${context.getClass().name}.${context.getHandler().name} has BerbixWebhookGuard, but not the kind of its webhook. ` +
        "Add @BerbixWebhookKind('finished') or @BerbixWebhookKind('status').",
    );
  }

  #refusal(error: unknown): unknown {
    if (!isBerbixError(error)) return error;
    const refusal = refusalFor(error.code, error.retryable);
    const level = error.code === 'BERBIX_CONFIGURATION' ? 'error' : 'warn';
    this.#logger[level](logLine('', error));
    return refusal;
  }
}

/** The raw body; undefined if a parser has left only the parsed one. */
function rawBodyFrom({ rawBody, body }: WebhookHttpRequest): Uint8Array | string | undefined {
  return rawBody ?? (types.isUint8Array(body) ? body : undefined);
}

/**
 * Refuses requests without JSON, which are not from Berbix. The platforms never keep their raw
 * body, so its absence is not a mistake of the application.
 *
 * ASSUMPTION: Berbix sends application/json, as its SDKs do; no source documents it for webhooks.
 *
 * @throws {BerbixWebhookSignatureError}
 */
function refuseNonJson(headers: IncomingHttpHeaders): void {
  const { 'content-type': type = 'none', 'transfer-encoding': encoding } = headers;
  if (!/^application\/json\b/i.test(type)) {
    throw new BerbixWebhookSignatureError(
      `The webhook has the content type ${type.slice(0, 80)}; Berbix sends application/json.`,
    );
  }
  if (encoding === undefined && !Number(headers['content-length'])) {
    throw new BerbixWebhookSignatureError('The webhook has no body.');
  }
}

function refusalFor(code: BerbixErrorCode, retryable: boolean): HttpException {
  if (code === 'BERBIX_WEBHOOK_BODY') return new BadRequestException();
  return retryable ? new ServiceUnavailableException() : new UnauthorizedException();
}

function getRequest(context: ExecutionContext): WebhookHttpRequest {
  return context.switchToHttp().getRequest<WebhookHttpRequest>();
}
