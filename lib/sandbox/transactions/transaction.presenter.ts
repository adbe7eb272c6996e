import { METADATA_ENTITY } from '../../wire/index.js';
import type { ApiJson } from '../api-json.js';
import type { Transaction } from './transaction.js';

/**
 * Metadata of a transaction that is not finished: 200 with an empty `action`.
 * [sdk: php examples/transaction.php] [3p: idx 7431624753] ASSUMPTION: 200 rather than 202.
 */
export function presentMetadata({ id, customerUid, createdAt }: Transaction): ApiJson {
  return {
    entity: METADATA_ENTITY,
    id,
    customer_uid: customerUid,
    action: '',
    flags: [],
    fields: {},
    duplicates: [],
    created_at: createdAt.toISOString(),
  };
}

/** What only the answer to a creation has. [doc: docs/api-only-integration-guide] */
export function presentKind(
  { kind, hostedClaim }: Transaction,
  baseUrl: string,
): Record<string, string> {
  // ASSUMPTION: the form of the URL; the real host and path are not known.
  if (hostedClaim !== undefined) return { hosted_url: `${baseUrl}/hosted/${hostedClaim}` };
  return kind === 'apiOnly' ? { first_step: 'upload_document_front' } : {};
}
