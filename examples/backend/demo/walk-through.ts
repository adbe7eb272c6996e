import type { Verification } from '../verifications/verification.js';
import type { VerificationsRepository } from '../verifications/verifications.repository.js';
import { type Paper, moment, redacted } from './paper.js';

/** What `POST /verification` answers, as JSON. */
interface ClientToken {
  clientToken: string;
  expiresAt: string;
}

interface Status {
  transactionId: string;
  startedAt: string;
}

/** Who sends the requests. A browser would send the cookie of a session instead. */
const HEADERS = { 'x-demo-customer': 'ada' };

/** Does what a customer's browser does, and looks into the database in between. */
export class WalkThrough {
  constructor(
    private readonly backend: string,
    private readonly verifications: VerificationsRepository,
    private readonly paper: Paper,
  ) {}

  async run(): Promise<void> {
    await this.#begin();
    await this.#comeBack();
    await this.#status();
  }

  async #begin(): Promise<void> {
    const earlier = await this.verifications.find('ada');
    this.paper.step('Ada begins her verification', 'POST /verification');
    const answer = await this.#request<ClientToken>('POST');
    const stored = await this.#stored();
    if (earlier) this.#tellOfEarlier(earlier, stored);
    if (!isSame(earlier, stored)) {
      this.paper.fact('Berbix', `created transaction ${stored.tokens.transactionId}`);
      this.paper.fact('Database', `stored its refresh token ${shown(stored)}`);
    }
    this.#tellOfClientToken(answer);
  }

  /** Only with the data of an earlier run. A new sandbox does not know the tokens of the last one. */
  #tellOfEarlier(earlier: Verification, stored: Verification): void {
    const { transactionId } = earlier.tokens;
    const since = moment(earlier.startedAt);
    this.paper.fact('Database', `had transaction ${transactionId} of an earlier run, ${since}`);
    const outcome = isSame(earlier, stored)
      ? 'knows it: resumed'
      : 'cannot continue it (a sandbox forgets when it stops)';
    this.paper.fact('Berbix', outcome);
  }

  async #comeBack(): Promise<void> {
    const before = await this.#stored();
    this.paper.step('Ada comes back later', 'POST /verification');
    const answer = await this.#request<ClientToken>('POST');
    const after = await this.#stored();
    if (!isSame(before, after)) throw new Error('Ada was given another transaction.');
    this.paper.fact('Database', `loaded the refresh token ${shown(before)}`);
    this.paper.fact('Berbix', 'exchanged it for fresh tokens of the same transaction');
    this.#tellOfClientToken(answer);
  }

  async #status(): Promise<void> {
    this.paper.step('Ada asks where she stands', 'GET /verification');
    const { transactionId, startedAt } = await this.#request<Status>('GET');
    this.paper.fact('Answer', `transaction ${transactionId}, begun ${moment(startedAt)}`);
  }

  #tellOfClientToken({ clientToken, expiresAt }: ClientToken): void {
    this.paper.fact(
      'Answer',
      `client token ${redacted(clientToken)} for her browser, good until ${moment(expiresAt)}`,
    );
  }

  async #stored(): Promise<Verification> {
    const stored = await this.verifications.find('ada');
    if (stored) return stored;
    throw new Error('There is no verification of Ada in the database.');
  }

  async #request<Answer>(method: 'GET' | 'POST'): Promise<Answer> {
    const url = `${this.backend}/verification`;
    const response = await fetch(url, { method, headers: HEADERS }).catch(() => {
      throw new Error(`The backend does not answer at ${url}.`);
    });
    const answer = (await response.json()) as { message?: string };
    if (response.ok) return answer as Answer;
    throw new Error(`${method} /verification was answered ${response.status}: ${answer.message}`);
  }
}

function isSame(one: Verification | undefined, other: Verification): boolean {
  return one?.tokens.transactionId === other.tokens.transactionId;
}

function shown({ tokens }: Verification): string {
  return redacted(tokens.refreshToken);
}
