import { hash, timingSafeEqual } from 'node:crypto';
import {
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  Inject,
  Injectable,
} from '@nestjs/common';
import { READABLE } from '../../wire/index.js';
import { ApiException, challenge } from '../http/api-exception.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../settings.js';

/** The API secret determines the mode, not the host. [doc: docs/settings] */
export type SandboxMode = 'test' | 'live';

/** What the requests of both adapters have in common. */
export interface GuardedRequest {
  headers: { authorization?: string | undefined };
}

/** The request of a guard or a parameter decorator. */
export function requestOf<Request extends GuardedRequest>(context: ExecutionContext): Request {
  return context.switchToHttp().getRequest<Request>();
}

/** The parts of an `Authorization` header; the scheme is in lower case. */
export interface Authorization {
  scheme: string;
  credentials: string;
}

/** Splits the header; undefined if it is missing or malformed. */
export function parseAuthorization(header: string | undefined): Authorization | undefined {
  const [, scheme, credentials] = /^\s*(\S+)\s+(\S+)\s*$/.exec(header ?? '') ?? [];
  if (scheme === undefined || credentials === undefined) return undefined;
  return { scheme: scheme.toLowerCase(), credentials };
}

const MODE = Symbol('mode');

interface RequestWithMode extends GuardedRequest {
  [MODE]?: SandboxMode;
}

/** The mode of the API secret in the request; needs {@link ApiSecretGuard}. */
export const Mode = createParamDecorator(
  (_: unknown, context: ExecutionContext) => requestOf<RequestWithMode>(context)[MODE],
);

/** Requires an API secret: the user of Basic authentication, with an empty password. [sdk: all] */
@Injectable()
export class ApiSecretGuard implements CanActivate {
  readonly #digests: readonly (readonly [SandboxMode, Buffer])[];

  constructor(@Inject(SANDBOX_SETTINGS) settings: SandboxSettings) {
    this.#digests = [
      ['test', digestOf(settings.apiSecret)],
      ['live', digestOf(settings.liveApiSecret)],
    ];
  }

  canActivate(context: ExecutionContext): boolean {
    const request = requestOf<RequestWithMode>(context);
    request[MODE] = this.#modeOf(request.headers.authorization);
    return true;
  }

  #modeOf(header: string | undefined): SandboxMode {
    const authorization = parseAuthorization(header);
    if (authorization?.scheme !== 'basic') {
      throw invalidApiSecret('Send the API secret as the user of Basic authentication');
    }
    const pair = Buffer.from(authorization.credentials, 'base64').toString();
    if (!pair.endsWith(':') || pair.indexOf(':') !== pair.length - 1) {
      throw invalidApiSecret('Send the API secret as the user, and leave the password empty');
    }
    const digest = digestOf(pair.slice(0, -1));
    // All digests have the same length, so the comparison always takes the same time.
    const match = this.#digests.find(([, known]) => timingSafeEqual(known, digest));
    if (!match) throw invalidApiSecret('Send the secret that the sandbox was started with');
    return match[0];
  }
}

function digestOf(secret: string): Buffer {
  return hash('sha256', secret, 'buffer');
}

/** ASSUMPTION: the status and the text. */
function invalidApiSecret(advice: string): ApiException {
  return new ApiException(
    401,
    READABLE.invalidApiSecret,
    `The API secret is missing or not known here. ${advice}: Authorization: Basic base64(secret + ":").`,
    challenge('Basic'),
  );
}
