import { CONTROL_ROOT, DOCUMENT_NAME, REFERENCE_ROOT, VERIFY_PATH } from '../http/paths.js';
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
 * The home page.
 *
 * @param referenceCommand installs the reference page; undefined if it is installed
 */
export function homePage(referenceCommand: string | undefined): Page {
  const reference = html`<dt><a href="${REFERENCE_ROOT}">Reference</a></dt>
    <dd>The API, with buttons that try each call.</dd>`;
  const referenceDocument = html`<dt>
      <a href="${REFERENCE_ROOT}/${DOCUMENT_NAME}">OpenAPI document</a>
    </dt>
    <dd>The API. For a page with buttons that try each call: ${referenceCommand ?? ''}</dd>`;
  return {
    status: 200,
    title: 'A local Berbix',
    body: html`<p>
        This is the sandbox of nestjs-berbix: the API of Berbix on this machine, without an account
        and without a network. Configure your backend with its address, and with the secrets that it
        printed when it started.
      </p>
      <dl>
        <dt><a href="${VERIFY_PATH}">Verify</a></dt>
        <dd>
          Act as the customer: open a verification with its client token, and choose the result.
        </dd>
        ${referenceCommand === undefined ? reference : referenceDocument}
        <dt><a href="${CONTROL_ROOT}">Control</a></dt>
        <dd>The control API of the sandbox: recorded requests, faults, clock and webhooks.</dd>
      </dl>`,
  };
}

/** A form for a client token. It is sent in the body, since addresses stay in the history. */
export function tokenPage(): Page {
  return {
    status: 200,
    title: 'Open a verification',
    body: html`<p>
        This page stands in for a page with a front-end SDK. Paste the client token of a transaction
        to open its verification.
      </p>
      <form method="post" action="${VERIFY_PATH}">
        <p>
          <label for="client_token">Client token</label>
          <textarea id="client_token" name="client_token" rows="6" required></textarea>
        </p>
        <button class="primary">Open</button>
      </form>`,
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
