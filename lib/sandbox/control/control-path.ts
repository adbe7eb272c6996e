/** Where the sandbox itself is controlled; not a part of the API. */
export const CONTROL_ROOT = '/sandbox';

/** Whether the path is one of the control API. */
export function isOfControl(path: string): boolean {
  return path === CONTROL_ROOT || path.startsWith(`${CONTROL_ROOT}/`);
}
