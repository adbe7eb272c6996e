/**
 * The body of `POST /v0/transactions`, with at most one option object.
 * [doc: reference/createtransaction]
 */
export interface CreateTransactionRequest {
  customer_uid: string;
  template_key: string;
  email?: string;
  phone?: string;
  /** Whether the user consents. Without it, uploaded selfies are not compared. [sdk: node] */
  consents_to_automated_facial_recognition?: boolean;
  match_data?: MatchData;
  hosted_options?: HostedOptions;
  api_only_options?: ApiOnlyOptions;
}

/** Data to compare the extracted data with; dates as `YYYY-MM-DD`. [sdk: php 2.1.0] */
export interface MatchData {
  given_name?: string;
  middle_name?: string;
  family_name?: string;
  date_of_birth?: string;
  id_expiry_date?: string;
}

/** [sdk: all] */
export interface HostedOptions {
  /** Gets an email when the verification is complete. */
  completion_email?: string;
  /** Where the browser goes then; the dashboard's setting by default. */
  redirect_url?: string;
}

/** [doc: docs/api-only-integration-guide] */
export interface ApiOnlyOptions {
  /** ISO 3166-1 alpha-2. */
  id_country?: string;
  id_type?: IdType;
}

/**
 * Passport, driver license, permanent resident card, passport card, other card.
 * [doc: docs/api-only-integration-guide]
 */
export const ID_TYPES = ['P', 'DL', 'PRC', 'PC', 'ID'] as const;
/** The kind of the ID of an API-only transaction, by its short name in {@link ID_TYPES}. */
export type IdType = (typeof ID_TYPES)[number];

/**
 * The answer of `GET` and `PATCH /v0/transactions`. Vocabularies are open: the API adds flags,
 * fields and actions over time. [sdk: go types.go, java] [doc: reference/gettransactionmetadata]
 */
export interface TransactionMetadata {
  entity: typeof METADATA_ENTITY;
  /** A 64-bit integer. [sdk: go int64] */
  id: number;
  customer_uid: string;
  /**
   * `accept`, `reject`, `review` or a custom action of the account; empty while unfinished.
   * [doc: docs/platform-overview] [3p: idx 7431624753]
   */
  action?: string | null;
  flags?: string[];
  fields?: Record<string, TransactionField>;
  images?: Record<string, TransactionImages>;
  duplicates?: TransactionDuplicate[];
  /** RFC 3339. [sdk: go `time.Time`] */
  created_at?: string;
  /** RFC 3339. [sdk: java] */
  completed_at?: string;
  dashboard_url?: string;
  /** Only in test mode. [doc: reference/gettransactionmetadata] */
  implementation_info?: string;
  /**
   * All evaluated conditions; the schema is not public.
   * [doc: changelog/action-map-results-now-available-in-api-response]
   */
  action_map_results?: Record<string, unknown>;
}

/**
 * ASSUMPTION: the values of `confidence` and `type`; only the fields are known. [sdk: go types.go]
 */
export interface TransactionField {
  value: string;
  confidence?: string;
  sources?: { value: string; type: string; confidence: string }[];
}

/** Short-lived URLs. [sdk: go types.go] */
export interface TransactionImages {
  full_image?: string;
  cropped_image?: string;
  face_image?: string;
}

/** Another transaction with the same photo ID. [sdk: go types.go] */
export interface TransactionDuplicate {
  customer_uid: string;
  transaction_id: number;
}

/** The `entity` of a transaction. [sdk: php examples/transaction.php] */
export const METADATA_ENTITY = 'transaction_metadata';

/** The usual actions. [doc: docs/platform-overview] */
export const ACTIONS = ['accept', 'reject', 'review'] as const;

/**
 * The documented flags; the API adds more over time. [doc: docs/transaction-flags, docs/id-flags]
 * [doc: changelog/photocopy-detection-flag-now-available]
 */
export const FLAGS = [
  'id_under_18',
  'id_under_21',
  'id_expired',
  'id_expiry_extended',
  'id_expiry_unknown',
  'id_age_unknown',
  'id_user_confirmed',
  'id_sample_detected',
  'id_photocopy_detected',
  'id_duplicate_detected',
  'id_duplicate_possible',
  'id_duplicate_face_detected',
  'id_blocked',
  'id_blocked_possible',
] as const;

/**
 * The actions of flags; any other flag leads to a review. ASSUMPTION: every account of Berbix has its
 * own Action Map; this one is ours.
 */
export const DEFAULT_ACTION_MAP: Readonly<Record<string, string>> = {
  id_blocked: 'reject',
  id_blocked_possible: 'reject',
  id_photocopy_detected: 'reject',
  id_under_18: 'reject',
};

/** The body of `PATCH /v0/transactions`. [doc: reference/updatetransaction] */
export interface UpdateTransactionRequest {
  action: string;
  note?: string;
}

/** The body of `PATCH /v0/transactions/override`, in test mode. [sdk: all] [doc: docs/testing] */
export interface OverrideTransactionRequest {
  response_payload: string;
  flags?: string[];
  override_fields?: Record<string, string>;
}

/**
 * The docs say `passport`, Java's enum says `us-passport`. [doc: docs/testing]
 * [sdk: java OverrideTransactionRequest]
 */
export const RESPONSE_PAYLOADS = ['us-dl', 'us-id', 'passport', 'us-passport'] as const;
