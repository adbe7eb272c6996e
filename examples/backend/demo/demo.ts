import type { BerbixTokenService, VerificationStartDto } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import type { TokenStore } from '../berbix/token-store.js';
import type { VerificationResultDto } from '../verifications/verification-result.dto.js';
import type { BerbixAccount } from './berbix-account.js';
import { type BackendClient, isFinished } from './backend-client.js';
import { finishInFrame } from './frame.js';
import { type Printer, formatTime, redacted } from './printer.js';

/** What the demo works with. */
export interface DemoContext {
  berbix: BerbixAccount;
  /** The backend over HTTP, as Ada's browser sees it. */
  ada: BackendClient;
  tokens: BerbixTokenService;
  store: TokenStore;
}

/** Does what a customer's browser does, and shows what is in the database in between. */
export class Demo {
  constructor(
    private readonly context: DemoContext,
    private readonly printer: Printer,
  ) {}

  /**
   * @param finish whether Ada finishes her verification; only with the sandbox
   * @returns the answer to the begin of her verification
   */
  async run(finish: boolean): Promise<VerificationStartDto> {
    const start = await this.#begin();
    await this.#exchange();
    if (finish) await this.#finish(start);
    await this.#status();
    if (finish) await this.#result();
    return start;
  }

  async #begin(): Promise<VerificationStartDto> {
    const { ada, berbix, store } = this.context;
    const earlier = await ada.status();
    const stored = await store.store.load('default/customer/ada');
    // A sandbox that has just started knows no transaction that could be resumed.
    const isUnknown = stored?.value !== undefined && berbix.sandbox !== undefined;
    const again = isUnknown || isFinished(earlier);
    this.printer.step('Ada begins her verification', `POST /verification${again ? '/again' : ''}`);
    if (earlier.since !== null) {
      const when = formatTime(earlier.since);
      this.printer.fact('Database', `has one of an earlier run: ${earlier.status} since ${when}`);
    }
    const start = (again ? undefined : await ada.begin()) ?? (await ada.beginAgain());
    const { transactionId = '', isResumed } = start;
    const what = isResumed ? 'resumed' : 'created';
    this.printer.fact('Berbix', `${what} transaction ${transactionId}`);
    const encrypted = (await this.#storedValue(transactionId)).slice(0, 20);
    this.printer.fact(this.#storeName, `stores its refresh token, encrypted: ${encrypted}…`);
    this.printer.fact('Answer', nextStep(start));
    return start;
  }

  /** The backend does this by itself, once for all instances, shortly before tokens expire. */
  async #exchange(): Promise<void> {
    const { berbix, tokens } = this.context;
    this.printer.step('The backend needs fresh tokens', 'BerbixTokenService.refresh()');
    const stored = await firstValueFrom(tokens.fresh({ customerUid: 'ada' }));
    this.printer.fact(this.#storeName, `loaded the refresh token ${redacted(stored.refreshToken)}`);
    const { accessToken = '', expiresAt = 0 } = await firstValueFrom(tokens.refresh(stored));
    const request = berbix.sandbox?.requests.to('POST', '/v0/tokens').at(-1);
    const status = request === undefined ? '' : ` (POST /v0/tokens: ${request.status})`;
    this.printer.fact('Berbix', `exchanged it for fresh tokens${status}`);
    const fresh = `access token ${redacted(accessToken)}, valid until ${formatTime(expiresAt)}`;
    this.printer.fact(this.#storeName, `stores them: ${fresh}`);
  }

  /** Stands in for Ada in front of the camera. */
  async #finish({ clientToken }: VerificationStartDto): Promise<void> {
    const { sandbox } = this.context.berbix;
    if (sandbox === undefined || clientToken === undefined) return;
    this.printer.step('Ada is accepted', 'the form in the frame of Berbix');
    for (const { kind, status } of await finishInFrame(sandbox, clientToken, 'accept')) {
      this.printer.fact('Webhook', `${kind}, signature checked and handled (${status})`);
    }
  }

  async #status(): Promise<void> {
    this.printer.step('Ada asks for the status', 'GET /verification');
    const { status, since } = await this.context.ada.status();
    this.printer.fact('Answer', `${status} since ${formatTime(since ?? 0)}`);
  }

  async #result(): Promise<void> {
    this.printer.step('Ada asks for the result', 'GET /verification/result');
    const { transactionId, action, name }: VerificationResultDto = await this.context.ada.result();
    const what = action === null ? 'no result yet' : `${action}, ${name ?? 'no name'}`;
    this.printer.fact('Answer', `transaction ${transactionId}: ${what}`);
  }

  get #storeName(): string {
    return this.context.store.store.description;
  }

  /** The encrypted value of the record. */
  async #storedValue(transactionId: string): Promise<string> {
    const record = await this.context.store.store.load(`default/transaction/${transactionId}`);
    if (record?.value !== undefined) return record.value;
    throw new Error('There are no tokens of Ada in the store.');
  }
}

/** What Ada's browser gets to continue with. */
function nextStep({ hostedUrl, clientToken = '' }: VerificationStartDto): string {
  return hostedUrl === undefined
    ? `client token ${redacted(clientToken)}, for the Berbix front end in her browser`
    : `her page, ${hostedUrl}`;
}
