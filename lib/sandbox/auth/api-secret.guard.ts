import { createHash, timingSafeEqual } from 'node:crypto';
import {
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  Inject,
  Injectable,
} from '@nestjs/common';
import { READABLE } from '../../wire/index.js';
import { ApiException } from '../errors/api.exception.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../sandbox.settings.js';
import { challenge, type GuardedRequest, parseAuthorization, requestOf } from './authorization.js';
import type { SandboxMode } from './sandbox-mode.js';

const MODE = Symbol('mode');

interface RequestWithMode extends GuardedRequest {
  [MODE]?: SandboxMode;
}

/** The mode that the secret of this request stands for; needs {@link ApiSecretGuard}. */
export const Mode = createParamDecorator(
  (_: unknown, context: ExecutionContext) => requestOf<RequestWithMode>(context)[MODE],
);

/**
 * Lets a request in that brings an API secret: Basic authentication with the secret as user and an
 * empty password. [sdk: all]
 */
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
    // Digests have one length, so the comparison takes one time whatever was sent.
    const match = this.#digests.find(([, known]) => timingSafeEqual(known, digest));
    if (!match) throw invalidApiSecret('Send the secret that the sandbox was started with');
    return match[0];
  }
}

function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** ASSUMPTION: the status; the words are ours. */
function invalidApiSecret(advice: string): ApiException {
  return new ApiException(
    401,
    READABLE.invalidApiSecret,
    `The API secret is missing or not known here. ${advice}: Authorization: Basic base64(secret + ":").`,
    challenge('Basic'),
  );
}
