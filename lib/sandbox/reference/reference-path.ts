/** Where people read about the API, and try it; not a part of it. */
export const REFERENCE_ROOT = '/reference';

/** The document itself, below {@link REFERENCE_ROOT}. */
export const DOCUMENT_NAME = 'openapi.json';

/** The page and its files, which are in no folders; so nothing that climbs out of one gets there. */
const REFERENCE_PATH = new RegExp(`^${REFERENCE_ROOT}(?:/(?:[\\w-][\\w.-]*)?)?(?:\\?|$)`);

/** Whether the request target, with or without a query, is one of the reference. */
export function isReferencePath(target: string): boolean {
  return target.startsWith(REFERENCE_ROOT) && REFERENCE_PATH.test(target);
}

/** Whether the request target is the page itself, and none of its files. */
export function isReferencePage(target: string): boolean {
  const [path = ''] = target.split('?', 1);
  return path === REFERENCE_ROOT || path === `${REFERENCE_ROOT}/`;
}
