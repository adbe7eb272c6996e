/** Stands in for a table of the application's, with the refresh token in an encrypted column. */
export class Customers {
  readonly #refreshTokens = new Map<string, string>();

  refreshTokenOf(customerUid: string): string {
    return this.#refreshTokens.get(customerUid) ?? '';
  }

  async save(customerUid: string, refreshToken: string): Promise<void> {
    this.#refreshTokens.set(customerUid, refreshToken);
  }
}
