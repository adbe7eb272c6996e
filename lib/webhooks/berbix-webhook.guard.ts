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
  SetMetadata,
  type CanActivate,
  type CustomDecorator,
  type ExecutionContext,
  type HttpException,
  type RawBodyRequest,
} from '@nestjs/common';
import { ModuleRef, Reflector } from '@nestjs/core';
import {
  BerbixConfigurationError,
  BerbixWebhookSignatureError,
  isBerbixError,
} from '../errors/index.js';
import { SIGNATURE_HEADER, type WebhookKind } from '../wire/index.js';
import type { BerbixWebhookService } from './berbix-webhook.service.js';
import type { BerbixWebhookDto } from './dto/berbix-webhook.dto.js';
import { TAKES, webhookRoute, type WebhookRoute } from './webhook-route.js';
import { getBerbixWebhookServiceToken } from './webhook-service.token.js';

const WEBHOOK: unique symbol = Symbol.for('berbix:webhook') as never;

/** What the platforms have in common. */
interface WebhookHttpRequest extends RawBodyRequest<{ headers: IncomingHttpHeaders }> {
  body?: unknown;
  [WEBHOOK]?: BerbixWebhookDto;
}

/**
 * Says which hook a route, or every route of a controller, is for; {@link BerbixWebhookGuard} needs it,
 * since nothing in a delivery tells.
 *
 * @param account its name as given to `forRoot`, if it has one
 * @throws {BerbixConfigurationError} for an unknown kind
 */
export function BerbixWebhookKind(kind: WebhookKind, account?: string): CustomDecorator {
  return SetMetadata(TAKES, webhookRoute('@BerbixWebhookKind', kind, account));
}

/** The checked {@link BerbixWebhookDto} of this request; needs {@link BerbixWebhookGuard}. */
export const BerbixWebhook = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const webhook = requestOf(context)[WEBHOOK];
  if (webhook !== undefined) return webhook;
  throw new BerbixConfigurationError(
    'There is no checked webhook for @BerbixWebhook(). Add @UseGuards(BerbixWebhookGuard) to the route.',
  );
});

/**
 * Lets a request in only if it is a webhook signed by Berbix, on Express and Fastify alike. Needs the
 * raw body: `NestFactory.create(AppModule, { rawBody: true })`, or a body parser that leaves the bytes
 * of this route in `request.body`, such as `express.raw()`.
 *
 * What cannot be told from a forgery is answered 401, for whatever reason: a wrong signature as well
 * as a secret or raw body that is missing here. A signed body that is not what Berbix promises is
 * answered 400; 503 says that the function that gives the secrets failed or took too long. The
 * caller is told no more; the log has the reason, as an error where it is yours to mend and as a
 * warning otherwise.
 *
 * Use it as `@UseGuards(BerbixWebhookGuard)` with `@BerbixWebhookKind('finished')` on a handler such
 * as `finished(@BerbixWebhook() webhook: BerbixWebhookDto)`.
 */
@Injectable()
export class BerbixWebhookGuard implements CanActivate {
  readonly #logger = new Logger(BerbixWebhookGuard.name);

  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = requestOf(context);
    try {
      const { kind, account } = this.#routeOf(context);
      const rawBody = bytesOf(request);
      if (rawBody === undefined) refuseOthers(request.headers);
      request[WEBHOOK] = await this.#serviceOf(account).verify({
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
    const route = this.reflector.getAllAndOverride<WebhookRoute | undefined>(TAKES, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (route !== undefined) return route;
    throw new BerbixConfigurationError(
      `${context.getClass().name}.${context.getHandler().name} has BerbixWebhookGuard and does not say which hook ` +
        "it is for. Add @BerbixWebhookKind('finished') or @BerbixWebhookKind('status').",
    );
  }

  /** Wherever its module is imported. */
  #serviceOf(account: string | undefined): BerbixWebhookService {
    try {
      return this.moduleRef.get(getBerbixWebhookServiceToken(account), { strict: false });
    } catch {
      throw new BerbixConfigurationError(
        account === undefined
          ? 'BerbixWebhookGuard needs BerbixModule.forRoot without a name, or the name of the account as second argument of @BerbixWebhookKind.'
          : `BerbixWebhookGuard needs BerbixModule.forRoot with the name "${account}".`,
      );
    }
  }

  #refusal(error: unknown): unknown {
    if (!isBerbixError(error)) return error;
    const refusal = refusalFor(error.code, error.retryable);
    if (error.code === 'BERBIX_CONFIGURATION') this.#logger.error(error.message);
    else this.#logger.warn(error.message);
    return refusal;
  }
}

/** The signed bytes; undefined if a parser has left only the parsed body. */
function bytesOf({ rawBody, body }: WebhookHttpRequest): Uint8Array | string | undefined {
  return rawBody ?? (types.isUint8Array(body) ? body : undefined);
}

/**
 * Of these the platforms keep no bytes, however the application is started: nothing is wrong here
 * because somebody sends them.
 *
 * ASSUMPTION: Berbix sends application/json, as its SDKs do; no source tells of webhooks.
 *
 * @throws {BerbixWebhookSignatureError} for what is no JSON, and so not from Berbix
 */
function refuseOthers(headers: IncomingHttpHeaders): void {
  const { 'content-type': type = 'none', 'transfer-encoding': encoding } = headers;
  if (!/^application\/json\b/i.test(type)) {
    throw new BerbixWebhookSignatureError(
      `The webhook has the content type ${type.slice(0, 80)}; those of Berbix have application/json.`,
    );
  }
  if (encoding === undefined && !Number(headers['content-length'])) {
    throw new BerbixWebhookSignatureError('The webhook has no body.');
  }
}

function refusalFor(code: string, retryable: boolean): HttpException {
  if (code === 'BERBIX_WEBHOOK_BODY') return new BadRequestException();
  return retryable ? new ServiceUnavailableException() : new UnauthorizedException();
}

function requestOf(context: ExecutionContext): WebhookHttpRequest {
  return context.switchToHttp().getRequest<WebhookHttpRequest>();
}
