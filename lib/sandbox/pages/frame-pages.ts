import type { FrameMessage } from '../../wire/index.js';
import { html, type Html, type Page } from './page.js';
import { type VerificationForm, verificationForm } from './verification-page.js';

/** The verification, in the frame. */
export function verificationFrame(
  form: Omit<VerificationForm, 'buttons'>,
  hasCloseButton: boolean,
): Page {
  const close = messageButton('Close', { type: 'EXIT_MODAL' });
  return {
    status: 200,
    title: 'Identity verification',
    greeting: [{ type: 'STATE_CHANGE', payload: { state: 'open' } }, 'display'],
    body: html`${verificationForm({ ...form, buttons: hasCloseButton ? close : [] })}
      <details class="buttons">
        <summary>What else can happen in the frame</summary>
        <p class="muted">These test how your page reacts. The transaction does not change.</p>
        ${messageButton('Load it again', { type: 'RELOAD_IFRAME' })}
        <p>Asks your page to load this frame again.</p>
        ${messageButton('Fail', { type: 'VERIFICATION_COMPLETE', payload: { success: false } })}
        <p>Tells your page that the verification failed.</p>
      </details>`,
  };
}

function messageButton(label: string, message: FrameMessage): Html {
  const text = JSON.stringify(message);
  return html`<button type="button" class="quiet" data-message="${text}">${label}</button>`;
}

/** The end; the SDKs remove the frame. */
export function completedFrame(): Page {
  return {
    status: 200,
    title: 'The verification is complete',
    greeting: [
      { type: 'STATE_CHANGE', payload: { state: 'completed' } },
      { type: 'VERIFICATION_COMPLETE', payload: { success: true } },
    ],
    body: html`<p>Your backend can fetch the result.</p>`,
  };
}
