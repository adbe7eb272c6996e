import type { ApiErrorBody } from './errors.js';

/** The front end of Berbix. [sdk: react, vue, angular] */
export const FRAME_HOST = 'https://verify.berbix.com';

/**
 * The page at {@link FRAME_HOST} that the front-end SDKs show in a frame, with the client token in its
 * query. [sdk: react src/index.jsx, vue src/index.js, angular berbix.component.ts]
 */
export const FRAME_PATH = '/v0/verify';

/**
 * What the frame tells the page around it: JSON text, by `postMessage`, whose origin is that of the
 * frame. The types, and the members that the SDKs read, are known. [sdk: react, vue, angular]
 *
 * - `DISPLAY_IFRAME`: it is ready to be shown with this height, in pixels. In a modal window it has
 *   this margin above it.
 * - `RESIZE_IFRAME`: its content has another height now.
 * - `STATE_CHANGE`: the user is at another step. ASSUMPTION: the payload, which is the application's.
 * - `RELOAD_IFRAME`: load it again.
 * - `EXIT_MODAL`: the user wants to leave. ASSUMPTION: only in a modal window with a close button.
 * - `VERIFICATION_COMPLETE`: the end. ASSUMPTION: it is a success whatever the result, which only the
 *   API tells; also if the verification was complete before.
 * - `ERROR_RENDERED`: it shows an error instead. ASSUMPTION: always so for a client token that has
 *   ended, with the members of an error of the API.
 */
export type FrameMessage =
  | { type: 'DISPLAY_IFRAME'; payload: { height: number; margin?: number } }
  | { type: 'RESIZE_IFRAME'; payload: { height: number } }
  | { type: 'STATE_CHANGE'; payload: { state: 'open' | 'completed' } }
  | { type: 'RELOAD_IFRAME' }
  | { type: 'EXIT_MODAL' }
  | { type: 'VERIFICATION_COMPLETE'; payload: { success: boolean } }
  | { type: 'ERROR_RENDERED'; payload: ApiErrorBody };
