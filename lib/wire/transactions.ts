/** Body of `POST /v0/transactions`. [doc: reference/createtransaction] */
export interface CreateTransactionRequest {
  customer_uid: string;
  template_key: string;
  email?: string;
  phone?: string;
}

/** The part of a transaction's metadata that is always there. [sdk: go types.go, php examples] */
export interface TransactionMetadata {
  entity: typeof METADATA_ENTITY;
  /** A 64-bit integer, like `transaction_id`. [sdk: go int64] */
  id: number;
  customer_uid: string;
  /** Empty while the verification is unfinished. [3p: idx 7431624753] */
  action: string;
  flags: string[];
  fields: Record<string, unknown>;
  duplicates: unknown[];
  /** RFC 3339. [sdk: go `time.Time`] */
  created_at: string;
}

/** Tag of the metadata object. [sdk: php examples/transaction.php] */
export const METADATA_ENTITY = 'transaction_metadata';
