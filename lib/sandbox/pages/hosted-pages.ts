import type { Transaction } from '../transactions/transaction.js';
import type { Announcement } from '../transactions/transaction-results.js';
import { html, type Page } from './page.js';
import { resultSummary, type VerificationForm, verificationForm } from './verification-page.js';

/** The choice of a user who does not complete the verification. */
export const ABANDON = 'abandon';

/** The page of a hosted transaction, where the developer chooses the result. */
export function hostedPage(form: Omit<VerificationForm, 'buttons'>): Page {
  return {
    status: 200,
    title: 'Identity verification',
    leadsAway: redirectTargetOf(form.transaction) !== undefined,
    body: verificationForm({
      ...form,
      buttons: html`<button name="choice" value="${ABANDON}" class="quiet">
        Abandon for now
      </button>`,
    }),
  };
}

/** After a decision, if there is no redirect. */
export function closingPage(announcement: Announcement): Page {
  const unused = html`<p>
    The redirect_url of the transaction is not an http or https URL, so it was not followed.
  </p>`;
  return {
    status: 200,
    title: 'The verification is complete',
    body: html`${resultSummary(announcement)}
      ${announcement.transaction.redirectUrl === undefined ? [] : unused}
      <p>You may close this window.</p>`,
  };
}

/**
 * When a link is opened after its verification is complete, for example when the browser reloads.
 *
 * ASSUMPTION: a link is valid for one result.
 */
export function usedPage(): Page {
  return {
    status: 410,
    title: 'The verification is complete',
    body: html`<p>
      This link was for one result, which cannot change here. You may close this window.
    </p>`,
  };
}

/** After the user abandoned the verification. */
export function abandonedPage(transaction: Transaction, path: string): Page {
  const target = redirectTargetOf(transaction);
  const back = html`<p><a href="${target ?? ''}">Return to the application</a></p>`;
  return {
    status: 200,
    title: 'The verification is not complete',
    body: html`<p>You may close this window, and continue later.</p>
      <p><a href="${path}">Continue now</a></p>
      ${target === undefined ? [] : back}`,
  };
}

/**
 * The URL for the browser after a decision, in characters that a header allows; undefined if there is
 * none.
 *
 * ASSUMPTION: only http and https; nothing is added to the URL; only completed users are redirected.
 * [doc: reference/createtransaction]
 */
export function redirectTargetOf({ redirectUrl = '' }: Transaction): string | undefined {
  if (!URL.canParse(redirectUrl)) return undefined;
  const { protocol, href } = new URL(redirectUrl);
  return protocol === 'http:' || protocol === 'https:' ? href : undefined;
}
