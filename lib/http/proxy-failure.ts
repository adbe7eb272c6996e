/** The proxy could not be reached, or did not open a tunnel; undici's errors do not tell its from the API's. */
export class ProxyFailure extends Error {
  /** @param code of the system, or `HTTP_` and the status of the proxy's answer */
  constructor(readonly code: string | undefined) {
    super('The proxy failed.');
  }
}
