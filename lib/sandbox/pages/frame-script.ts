import type { FrameMessage } from '../../wire/index.js';

/** What the script tells when the page has loaded; it measures what it displays. */
export type FrameGreeting = readonly ('display' | FrameMessage)[];

/**
 * Tells the page around the frame what happens in it. The page is any: it framed this one with a
 * client token, and learns no more than that it was used.
 *
 * The greeting is in its element; a button with `data-message` tells that.
 */
export const FRAME_SCRIPT = `
  const { body } = document;
  const greeting = JSON.parse(document.currentScript.dataset.greeting);
  const query = new URLSearchParams(location.search);
  const tell = (message) => parent.postMessage(JSON.stringify(message), '*');

  function display() {
    let height = body.offsetHeight;
    const space = query.has('modal') ? query.get('max_height') - height : 0;
    tell({ type: 'DISPLAY_IFRAME', payload: { height, margin: Math.max(0, space / 2) } });
    new ResizeObserver(() => {
      if (body.offsetHeight === height) return;
      height = body.offsetHeight;
      tell({ type: 'RESIZE_IFRAME', payload: { height } });
    }).observe(body);
  }

  if (parent !== window) {
    body.classList.add('framed');
    for (const message of greeting) {
      if (message === 'display') display();
      else tell(message);
    }
    addEventListener('click', ({ target }) => {
      const { message } = target.closest('[data-message]')?.dataset ?? {};
      if (message) tell(JSON.parse(message));
    });
  }
`;
