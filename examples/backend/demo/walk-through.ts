import type { BerbixTokenService, VerificationStartDto } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import type { TokenStore } from '../berbix/token-store.js';
import type { VerificationResultDto } from '../verifications/verification-result.dto.js';
import type { BerbixAccount } from './berbix-account.js';
import { type BackendClient, isFinished } from './backend-client.js';
import { finishOnPage } from './hosted-page.js';
import { type Paper, moment, redacted } from './paper.js';

/** What the walk-through looks at. */
export interface Sights {
  berbix: BerbixAccount;
  /** The backend over HTTP, as Ada's browser sees it. */
  ada: BackendClient;
  tokens: BerbixTokenService;
  store: TokenStore;
}

/** Does what a customer's browser does, and looks into the database in between. */
export class WalkThrough {
  constructor(
    private readonly sights: Sights,
    private readonly paper: Paper,
  ) {}

  /**
   * @param toTheEnd whether Ada shall finish her verification, where there is a sandbox
   * @returns what her verification was begun with
   */
  async run(toTheEnd: boolean): Promise<VerificationStartDto> {
    const start = await this.#begin();
    await this.#exchange();
    if (toTheEnd) await this.#finish(start);
    await this.#status();
    if (toTheEnd) await this.#result();
    return start;
  }

  async #begin(): Promise<VerificationStartDto> {
    const { ada, berbix, store } = this.sights;
    const earlier = await ada.status();
    const stored = await store.store.load('default/customer/ada');
    // A sandbox that has just started knows of nothing that could be taken up again.
    const isUnknown = stored?.value !== undefined && berbix.sandbox !== undefined;
    const again = isUnknown || isFinished(earlier);
    this.paper.step('Ada begins her verification', `POST /verification${again ? '/again' : ''}`);
    if (earlier.since !== null) {
      const when = moment(earlier.since);
      this.paper.fact('Database', `has one of an earlier run: ${earlier.status} since ${when}`);
    }
    const start = (again ? undefined : await ada.begin()) ?? (await ada.beginAgain());
    const { transactionId = '', isResumed } = start;
    const what = isResumed ? 'goes on with' : 'created';
    this.paper.fact('Berbix', `${what} transaction ${transactionId}`);
    const sealed = (await this.#sealed(transactionId)).slice(0, 20);
    this.paper.fact(this.#kept, `keeps its refresh token, sealed: ${sealed}…`);
    this.paper.fact('Answer', wayOn(start));
    return start;
  }

  /** As happens by itself, once for all instances, when tokens are near their end. */
  async #exchange(): Promise<void> {
    const { berbix, tokens } = this.sights;
    this.paper.step('The backend needs fresh tokens', 'BerbixTokenService.refresh()');
    const stored = await firstValueFrom(tokens.fresh({ customerUid: 'ada' }));
    this.paper.fact(this.#kept, `loaded the refresh token ${redacted(stored.refreshToken)}`);
    const { accessToken = '', expiresAt = 0 } = await firstValueFrom(tokens.refresh(stored));
    const call = berbix.sandbox?.requests.to('POST', '/v0/tokens').at(-1);
    const answered = call === undefined ? '' : ` (POST /v0/tokens: ${call.status})`;
    this.paper.fact('Berbix', `exchanged it for fresh tokens${answered}`);
    const fresh = `access token ${redacted(accessToken)}, good until ${moment(expiresAt)}`;
    this.paper.fact(this.#kept, `keeps them: ${fresh}`);
  }

  /** In place of Ada before the camera. */
  async #finish({ hostedUrl }: VerificationStartDto): Promise<void> {
    const { sandbox } = this.sights.berbix;
    if (sandbox === undefined || hostedUrl === undefined) return;
    this.paper.step('Ada is accepted', 'the form of that page');
    for (const { kind, status } of await finishOnPage(sandbox, hostedUrl, 'accept')) {
      this.paper.fact('Webhook', `${kind}, signed: checked and handled (${status})`);
    }
  }

  async #status(): Promise<void> {
    this.paper.step('Ada asks where she stands', 'GET /verification');
    const { status, since } = await this.sights.ada.status();
    this.paper.fact('Answer', `${status} since ${moment(since ?? 0)}`);
  }

  async #result(): Promise<void> {
    this.paper.step('Ada asks for the result', 'GET /verification/result');
    const { transactionId, action, name }: VerificationResultDto = await this.sights.ada.result();
    const what = action === null ? 'not determined' : `${action}, ${name ?? 'no name'}`;
    this.paper.fact('Answer', `transaction ${transactionId}: ${what}`);
  }

  /** What keeps the tokens. */
  get #kept(): string {
    return this.sights.store.store.description;
  }

  /** As it is stored: nobody reads it who does not have the key. */
  async #sealed(transactionId: string): Promise<string> {
    const record = await this.sights.store.store.load(`default/transaction/${transactionId}`);
    if (record?.value !== undefined) return record.value;
    throw new Error('There are no tokens of Ada in the store.');
  }
}

/** What Ada's browser is told. */
function wayOn({ hostedUrl, clientToken = '' }: VerificationStartDto): string {
  return hostedUrl === undefined
    ? `client token ${redacted(clientToken)}, for the Berbix front end in her browser`
    : `her page, ${hostedUrl}`;
}
