import {
  BerbixAuthenticationError,
  BerbixConfigurationError,
  BerbixInvalidAccessTokenError,
  BerbixResponseError,
  isBerbixError,
  nameOf,
  type BerbixError,
} from '../errors/index.js';
import type { BerbixAnswer } from './berbix-request.js';
import { OUTDATED_AFTER_MS } from './circuit-breaker.js';

/** The API secret, or a function that returns the current one; it is called for each request. */
export type ApiSecretSource = string | (() => string | Promise<string>);

/** The authorization of one attempt. */
export interface Authorization {
  /** The value of the Authorization header. */
  readonly header: string;
  /** Must not appear in a message, even if the answer quotes them (I10). */
  readonly secrets: readonly string[];
}

/**
 * The authorization with an access or client token.
 *
 * @throws {BerbixInvalidAccessTokenError} if the token cannot be sent in a header
 */
export function bearerAuthorization(token: string): Authorization {
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new BerbixInvalidAccessTokenError(
      'The access or client token has a character that tokens cannot have. Nothing was sent; refresh the tokens.',
    );
  }
  return { header: `Bearer ${token}`, secrets: [token] };
}

/**
 * Keeps the API secret away from loggers, and makes the Authorization header: Basic, with the
 * secret as the user name and an empty password. [doc: reference/createtoken] [sdk: all]
 */
export class ApiSecret {
  readonly #source: ApiSecretSource;
  /** The secret that was used last, and its authorization. */
  #current: { readonly secret: string; readonly authorization: Authorization } | undefined;
  /** The last problem, and when it occurred, by `performance.now()`. */
  #problem: { kind: 'refused' | 'missing'; at: number } | undefined;
  /** With which refresh token the secret was refused since it last worked. */
  #refused: string | undefined;

  /** @throws {BerbixConfigurationError} if it is a string that cannot be an API secret */
  constructor(source: ApiSecretSource) {
    this.#source = source;
    if (typeof source !== 'function') this.#use(source);
  }

  /**
   * @throws {BerbixConfigurationError} (as a rejection) if the function fails, or returns something
   * that cannot be an API secret
   */
  authorization(): Authorization | Promise<Authorization> {
    const source = this.#source;
    return typeof source === 'function' ? this.#ask(source) : this.#use(source);
  }

  /**
   * What was wrong in the last half minute, unless the secret has worked since: the API refused it, or
   * the function that returns it failed.
   */
  get problem(): 'refused' | 'missing' | undefined {
    const problem = this.#problem;
    const isRecent = problem !== undefined && performance.now() < problem.at + OUTDATED_AFTER_MS;
    return isRecent ? problem.kind : undefined;
  }

  /**
   * Notes the answer to a request with this secret. ASSUMPTION: see READABLE; if the API does not say
   * that it is the refresh token which it refuses, only a second one shows that it is the secret. An
   * API that fails, or a proxy that answers instead, may not have looked at the secret.
   *
   * @param refreshToken if it was an exchange
   */
  answered(answer: BerbixAnswer | BerbixError, refreshToken: string | undefined): void {
    if (this.#problem?.kind === 'missing') this.#problem = undefined;
    if (isBerbixError(answer) && (answer.retryable || answer instanceof BerbixResponseError))
      return;
    const isRefused = answer instanceof BerbixAuthenticationError;
    const isOther = this.#refused !== undefined && this.#refused !== refreshToken;
    const isSure = refreshToken === undefined || isOther || this.#problem?.kind === 'refused';
    this.#refused = isRefused ? (this.#refused ?? refreshToken) : undefined;
    if (!isRefused) this.#problem = undefined;
    else if (isSure) this.#problem = { kind: 'refused', at: performance.now() };
  }

  /** Notes that there is no secret to send. */
  failed(): void {
    this.#problem = { kind: 'missing', at: performance.now() };
  }

  async #ask(provide: () => string | Promise<string>): Promise<Authorization> {
    let secret: string;
    try {
      secret = await provide();
    } catch (error) {
      // Without the message, which may quote what the function was reading (I10).
      throw new BerbixConfigurationError(
        `The function given as apiSecret failed (${nameOf(error)}). It must return the API secret.`,
        { retryable: true },
      );
    }
    return this.#use(secret);
  }

  #use(secret: string): Authorization {
    const current = this.#current;
    if (current !== undefined && current.secret === secret) return current.authorization;
    const problem = findProblem(secret);
    if (problem !== undefined) {
      throw new BerbixConfigurationError(
        `apiSecret ${problem}. Pass the API secret exactly as it is in the Berbix dashboard, such as secret_test_...`,
      );
    }
    const encoded = Buffer.from(`${secret}:`).toString('base64');
    const authorization = { header: `Basic ${encoded}`, secrets: [secret, encoded] };
    this.#current = { secret, authorization };
    return authorization;
  }
}

function findProblem(secret: unknown): string | undefined {
  if (secret === undefined || secret === null || secret === '') return 'is missing';
  if (typeof secret !== 'string') return `is of type ${typeof secret}, not a string`;
  if (secret.includes(':')) return 'contains a colon, which Basic authorization does not allow';
  if (/[^\x21-\x7e]/.test(secret)) {
    return 'contains a space, a line break or another character that API secrets cannot have';
  }
  return undefined;
}
