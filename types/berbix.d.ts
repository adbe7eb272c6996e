/**
 * The parts of the official SDK, `berbix` 2.0.0, that the tests and benchmarks use. It has no types of
 * its own.
 */
declare module 'berbix' {
  export interface ClientOptions {
    apiSecret?: string;
    apiHost?: string;
    httpClientOpts?: { timeoutMs: number };
  }

  export class Tokens {
    refreshToken?: string;
    accessToken?: string;
    clientToken?: string;
    /** In seconds since 1970. */
    expiry?: number;
    transactionId?: number;
    /** The body of the answer. */
    response?: Record<string, unknown>;
    static fromRefresh(refreshToken: string | undefined): Tokens;
    needsRefresh(): boolean;
  }

  export class EncodedImage {
    constructor(
      base64Image: string,
      imageSubject: string,
      format?: string,
      supplementaryData?: object,
    );
  }

  export interface UploadResult {
    nextStep: string;
    issues?: string[];
    issueDetails?: { unsupportedIdType?: { visaPageOfPassport?: boolean } };
  }

  /** Its promises are rejected with plain objects. */
  export class Client {
    constructor(options: ClientOptions);
    createTransaction(options: object): Promise<Tokens>;
    createHostedTransaction(options: object): Promise<{ tokens: Tokens; hostedUrl?: string }>;
    createApiOnlyTransaction(options: object): Promise<Tokens>;
    refreshTokens(tokens: Tokens): Promise<Tokens>;
    fetchTransaction(tokens: Tokens): Promise<Record<string, unknown>>;
    deleteTransaction(tokens: Tokens): Promise<unknown>;
    updateTransaction(tokens: Tokens, params: object): Promise<Record<string, unknown>>;
    overrideTransaction(tokens: Tokens, params: object): Promise<unknown>;
    uploadImages(tokens: Tokens, options: object): Promise<UploadResult>;
    uploadIdScan(tokens: Tokens, options: object): Promise<UploadResult>;
    validateSignature(secret: string, body: string, header: string | undefined): boolean;
    /** Each method with tokens calls this before it calls the API. */
    _refreshIfNecessary(tokens: Tokens): Promise<void>;
  }
}
