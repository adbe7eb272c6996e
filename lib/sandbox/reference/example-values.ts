import type { INestApplicationContext } from '@nestjs/common';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../sandbox.settings.js';
import { TokenWriter } from '../tokens/token-writer.js';
import { parseCreateTransaction } from '../transactions/create-transaction.request.js';
import { type TemplateKeys, templateKeysOf } from '../transactions/template-keys.js';
import { TransactionFactory } from '../transactions/transaction.factory.js';
import type { Transaction } from '../transactions/transaction.js';
import { Transactions } from '../transactions/transactions.js';
import { PLACEHOLDERS, type ReferenceValues } from './reference-values.js';

/** The examples of a sandbox that runs: they work there. */
export class ExampleValues {
  readonly #templateKeys: TemplateKeys;
  readonly #factory: TransactionFactory;
  readonly #transactions: Transactions;
  readonly #tokens: TokenWriter;
  #transactionId: string | undefined;

  constructor(sandbox: INestApplicationContext) {
    this.#templateKeys = templateKeysOf(sandbox.get<SandboxSettings>(SANDBOX_SETTINGS).apiSecret);
    this.#factory = sandbox.get(TransactionFactory);
    this.#transactions = sandbox.get(Transactions);
    this.#tokens = sandbox.get(TokenWriter);
  }

  /** As they are now: tokens are rotated, and transactions deleted. */
  async read(): Promise<ReferenceValues> {
    return { templateKeys: this.#templateKeys, refreshToken: await this.#refreshToken() };
  }

  async #refreshToken(): Promise<string> {
    const transaction = (await this.#current()) ?? (await this.#create());
    return transaction ? this.#tokens.refreshToken(transaction) : PLACEHOLDERS.refreshToken;
  }

  async #current(): Promise<Transaction | undefined> {
    if (this.#transactionId === undefined) return undefined;
    // Somebody may have tried what happens when it is deleted.
    return this.#transactions.find(this.#transactionId).catch(() => undefined);
  }

  /** Nothing if that would be one test transaction too many. */
  async #create(): Promise<Transaction | undefined> {
    const request = parseCreateTransaction({
      customer_uid: 'reference',
      template_key: this.#templateKeys.sdk,
    });
    const transaction = await this.#factory.create(request, 'test').catch(() => undefined);
    this.#transactionId = transaction?.id;
    return transaction;
  }
}
