import { BerbixConfigurationError } from '../errors/index.js';

/** The API secret, or a function that gives the one in force now; it is asked once per request. */
export type ApiSecretSource = string | (() => string | Promise<string>);

/**
 * Holds the API secret where no logger finds it and turns it into the Authorization header: Basic,
 * the secret as user name, an empty password. [doc: reference/createtoken] [sdk: all]
 */
export class ApiSecret {
  readonly #source: ApiSecretSource;
  #secret = '';
  #header = '';

  /** @throws {BerbixConfigurationError} for a string that cannot be an API secret */
  constructor(source: ApiSecretSource) {
    this.#source = source;
    if (typeof source !== 'function') this.#use(source);
  }

  /**
   * @throws {BerbixConfigurationError} (as a rejection) when the function fails or gives something
   * that cannot be an API secret
   */
  header(): string | Promise<string> {
    return typeof this.#source === 'function' ? this.#ask(this.#source) : this.#header;
  }

  /** What must not appear in any message: the secret last used and the header made of it. */
  get traces(): string[] {
    return [this.#secret, this.#header.slice('Basic '.length)];
  }

  async #ask(provide: () => string | Promise<string>): Promise<string> {
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
    return secret === this.#secret ? this.#header : this.#use(secret);
  }

  #use(secret: string): string {
    const problem = problemOf(secret);
    if (problem !== undefined) {
      throw new BerbixConfigurationError(
        `apiSecret ${problem}. Give the API secret from the Berbix dashboard as it is there, such as secret_test_...`,
      );
    }
    this.#secret = secret;
    this.#header = `Basic ${Buffer.from(`${secret}:`).toString('base64')}`;
    return this.#header;
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
