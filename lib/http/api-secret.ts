import { BerbixConfigurationError, BerbixInvalidAccessTokenError } from '../errors/index.js';

/** The API secret, or a function that gives the one in force now; it is asked once per request. */
export type ApiSecretSource = string | (() => string | Promise<string>);

/** What one attempt is authorized with. */
export interface Authorization {
  /** The value of the Authorization header. */
  readonly header: string;
  /** What must not appear in any message, should the answer quote it. */
  readonly secrets: readonly string[];
}

/**
 * With an access or client token.
 *
 * @throws {BerbixInvalidAccessTokenError} for one that cannot be sent in a header
 */
export function bearerAuthorization(token: string): Authorization {
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new BerbixInvalidAccessTokenError(
      'The access or client token has a character that no token has. Nothing was sent; refresh the tokens.',
    );
  }
  return { header: `Bearer ${token}`, secrets: [token] };
}

/**
 * Holds the API secret where no logger finds it and turns it into the Authorization header: Basic,
 * the secret as user name, an empty password. [doc: reference/createtoken] [sdk: all]
 */
export class ApiSecret {
  readonly #source: ApiSecretSource;
  #secret = '';
  #authorization: Authorization = { header: '', secrets: [] };

  /** @throws {BerbixConfigurationError} for a string that cannot be an API secret */
  constructor(source: ApiSecretSource) {
    this.#source = source;
    if (typeof source !== 'function') this.#use(source);
  }

  /**
   * @throws {BerbixConfigurationError} (as a rejection) when the function fails or gives something
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
      // Not the message: it may quote what the function was reading.
      const name = error instanceof Error ? error.name : typeof error;
      throw new BerbixConfigurationError(
        `The function given as apiSecret failed (${name}). It must answer the API secret.`,
        { retryable: true },
      );
    }
    return secret === this.#secret ? this.#authorization : this.#use(secret);
  }

  #use(secret: string): Authorization {
    const problem = problemOf(secret);
    if (problem !== undefined) {
      throw new BerbixConfigurationError(
        `apiSecret ${problem}. Give the API secret from the Berbix dashboard as it is there, such as secret_test_...`,
      );
    }
    this.#secret = secret;
    const encoded = Buffer.from(`${secret}:`).toString('base64');
    this.#authorization = { header: `Basic ${encoded}`, secrets: [secret, encoded] };
    return this.#authorization;
  }
}

function problemOf(secret: unknown): string | undefined {
  if (secret === undefined || secret === null || secret === '') return 'is missing';
  if (typeof secret !== 'string') return `is a ${typeof secret}, not a string`;
  if (secret.includes(':')) return 'contains a colon, which Basic authorization cannot carry';
  if (/[^\x21-\x7e]/.test(secret)) {
    return 'contains a space, a line break or another character that no API secret has';
  }
  return undefined;
}
