import type { VerificationStartDto } from 'nestjs-berbix';
import type { VerificationResultDto } from '../verifications/verification-result.dto.js';
import type { VerificationStatusDto } from '../verifications/verification-status.dto.js';

/** JSON has no dates. */
type Json<T> = { [Key in keyof T]: T[Key] extends Date | null ? string | null : T[Key] };

type Status = Json<VerificationStatusDto>;

/** The requests of Ada's browser. A real one would send a session cookie instead of the header. */
export class BackendClient {
  constructor(
    private readonly backend: string,
    private readonly customerUid: string,
  ) {}

  /** Undefined if it is finished, which the backend did not know yet. */
  begin(): Promise<VerificationStartDto | undefined> {
    return this.#ask<VerificationStartDto>('POST', '/verification').catch((error: Error) => {
      if (error.cause === 409) return undefined;
      throw error;
    });
  }

  beginAgain(): Promise<VerificationStartDto> {
    return this.#ask('POST', '/verification/again');
  }

  status(): Promise<Status> {
    return this.#ask('GET', '/verification');
  }

  result(): Promise<VerificationResultDto> {
    return this.#ask('GET', '/verification/result');
  }

  async #ask<Answer>(method: string, path: string): Promise<Answer> {
    const url = this.backend + path;
    const headers = { 'x-demo-customer': this.customerUid };
    const response = await fetch(url, { method, headers }).catch(() => {
      throw new Error(`The backend does not answer at ${url}.`);
    });
    const answer = (await response.json()) as { message?: string };
    if (response.ok) return answer as Answer;
    throw new Error(`${method} ${path} was answered ${response.status}: ${answer.message}`, {
      cause: response.status,
    });
  }
}

/** Whether only another attempt can follow. */
export function isFinished({ status }: Status): boolean {
  return status !== 'not_started' && status !== 'in_progress';
}
