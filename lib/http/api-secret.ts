import {
  BerbixConfigurationError,
  BerbixInvalidAccessTokenError,
  nameOf,
} from '../errors/index.js';

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
  #secret = '';
  #authorization: Authorization = { header: '', secrets: [] };

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
    return typeof this.#source === 'function' ? this.#ask(this.#source) : this.#authorization;
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
    return secret === this.#secret ? this.#authorization : this.#use(secret);
  }

  #use(secret: string): Authorization {
    const problem = findProblem(secret);
    if (problem !== undefined) {
      throw new BerbixConfigurationError(
        `apiSecret ${problem}. Pass the API secret exactly as it is in the Berbix dashboard, such as secret_test_...`,
      );
    }
    this.#secret = secret;
    const encoded = Buffer.from(`${secret}:`).toString('base64');
    this.#authorization = { header: `Basic ${encoded}`, secrets: [secret, encoded] };
    return this.#authorization;
  }
}

function findProblem(secret: unknown): string | undefined {
  if (secret === undefined || secret === null || secret === '') return 'is missing';
  if (typeof secret !== 'string') return `is a ${typeof secret}, not a string`;
  if (secret.includes(':')) return 'contains a colon, which Basic authorization does not allow';
  if (/[^\x21-\x7e]/.test(secret)) {
    return 'contains a space, a line break or another character that API secrets cannot have';
  }
  return undefined;
}
