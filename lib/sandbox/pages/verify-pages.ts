import { VERIFY_PATH } from '../http/paths.js';
import { html, type Page } from './page.js';

/** The field of the form. */
export const TOKEN_FIELD = 'client_token';

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
          <label for="${TOKEN_FIELD}">Client token</label>
          <textarea id="${TOKEN_FIELD}" name="${TOKEN_FIELD}" rows="6" required></textarea>
        </p>
        <button class="primary">Open</button>
      </form>`,
  };
}

/** The same error page with a link to the form. */
export function withLinkToForm(page: Page): Page {
  const link = html`<p><a href="${VERIFY_PATH}">Try another client token</a></p>`;
  return { ...page, body: html`${page.body} ${link}` };
}
