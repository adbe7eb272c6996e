import { CONTROL_ROOT } from '../control/control-path.js';
import { DOCUMENT_NAME, REFERENCE_ROOT } from '../reference/reference-path.js';
import type { Transaction } from '../transactions/transaction.js';
import { html } from './html.js';
import { VERIFY_PATH } from './hosted-path.js';
import type { Page } from './page.js';
import { redirectTargetOf } from './redirect-target.js';

/** What a user can make of a verification. */
export const CHOICES = ['accept', 'reject', 'review', 'abandon'] as const;

/** One of {@link CHOICES}. */
export type Choice = (typeof CHOICES)[number];

const LABELS: Record<Choice, string> = {
  accept: 'Complete it: accept',
  reject: 'Complete it: reject',
  review: 'Complete it: review',
  abandon: 'Abandon it for now',
};

/** Where the user verifies, and the developer decides what comes of it. */
export function choicePage(transaction: Transaction, templateKey: string): Page {
  const { id, mode, customerUid } = transaction;
  const buttons = CHOICES.map(
    (choice) => html`<button name="choice" value="${choice}">${LABELS[choice]}</button>`,
  );
  return {
    status: 200,
    title: 'Identity verification',
    leadsAway: redirectTargetOf(transaction) !== undefined,
    body: html`<p>
        This is a sandbox: nobody looks at a document or at a face. Choose the result of the
        verification.
      </p>
      <dl>
        <dt>Customer</dt>
        <dd><bdi>${customerUid}</bdi></dd>
        <dt>Template</dt>
        <dd>${templateKey}</dd>
        <dt>Transaction</dt>
        <dd>${id}, ${mode} mode</dd>
      </dl>
      <form method="post">
        <fieldset>
          <legend>Choose the result</legend>
          ${buttons}
        </fieldset>
      </form>`,
  };
}

/** After a decision, where nobody is to be sent anywhere. */
export function closingPage({ redirectUrl }: Transaction): Page {
  const unused = html`<p>
    The redirect_url of the transaction is not an http or https URL, so it was not followed.
  </p>`;
  return {
    status: 200,
    title: 'The verification is complete',
    body: html`<p>You may close this window.</p>
      ${redirectUrl === undefined ? [] : unused}`,
  };
}

/** After nothing was decided. The link to go on is the address of this page. */
export function abandonedPage(transaction: Transaction, path: string): Page {
  const target = redirectTargetOf(transaction);
  const back = html`<p><a href="${target ?? ''}">Go back to where you came from</a></p>`;
  return {
    status: 200,
    title: 'The verification is not complete',
    body: html`<p>You may close this window, and continue later.</p>
      <p><a href="${path}">Continue now</a></p>
      ${target === undefined ? [] : back}`,
  };
}

/**
 * Says what this is, and where to go from here.
 *
 * @param referenceCommand installs what the page of the reference lacks; `undefined` if nothing
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
        This is the sandbox of nestjs-berbix: the API of Berbix on this machine, with no account and
        no network. Configure your backend with its address, and with the secrets that it printed at
        the start.
      </p>
      <dl>
        <dt><a href="${VERIFY_PATH}">Verify</a></dt>
        <dd>
          Play the customer: open a verification with its client token, and choose the result.
        </dd>
        ${referenceCommand === undefined ? reference : referenceDocument}
        <dt><a href="${CONTROL_ROOT}">Control</a></dt>
        <dd>The control API of the sandbox: recorded requests, faults, clock and webhooks.</dd>
      </dl>`,
  };
}

/** Asks for a client token. It goes into the body: an address would stay in the history. */
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
        <button>Open</button>
      </form>`,
  };
}

const TITLES: Record<number, string> = {
  400: 'The request is not valid',
  401: 'The client token is not accepted',
  403: 'This transaction has no page',
  404: 'Not found',
  409: 'The verification is complete',
  410: 'This link is no longer valid',
};

/** Why there is no other page. */
export function refusalPage(status: number, message: string): Page {
  return { status, title: TITLES[status] ?? 'Something went wrong', body: html`<p>${message}</p>` };
}
