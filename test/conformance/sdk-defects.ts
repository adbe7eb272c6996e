/**
 * The defects of the official SDKs: first the common ones, then those of each SDK. For each row,
 * `defects/` proves that this package does not have the defect.
 */
export const SDK_DEFECTS = {
  C1: 'a refresh loses the refresh token: if absent, it becomes undefined; if replaced, it is dropped',
  C2: 'concurrent callers make one exchange each',
  C3: 'an access token is used until its last instant, and may expire on the way',
  C4: 'a 401 is final: no refresh and no second attempt',
  C5: 'no retry after a broken connection, a 429 or a 5xx',
  C6: 'signatures are compared with ==, and pass with any version, future time or number of parts',
  C7: 'errors have no type, and the status or the body is lost',
  C8: 'storage of the refresh token is left entirely to the caller',
  C9: 'hosted URL, first step and expiry are not properties of the result',
  C10: 'tokens show their secrets when printed or turned into JSON',

  'node.1': 'a connection that cannot be opened ends the whole process',
  'node.2': 'no time limit by default; with one, the socket and the timer stay',
  'node.3': 'https only, no path, no proxy, answers of any size, characters cut in two',
  'node.4': 'an answer without JSON loses its body, and a 200 without one fails',
  'node.5': 'the thrown values are not Errors',
  'node.6': 'a 409 without JSON becomes a TypeError',
  'node.7': 'a hosted transaction without options is silently not hosted',
  'node.8': 'neither the secret nor arguments are checked; unknown names are ignored',
  'node.9': 'a missing or short signature header is a TypeError; a wrong timestamp passes',
  'node.10': 'no types, and a README that describes other methods',

  'go.1': 'every error and every unreadable answer is reported as success',
  'go.2': 'the refreshed tokens never reach the caller, so each call refreshes again',
  'go.3': 'missing options are a panic; no time limit and no way to cancel',
  'go.4': 'unset fields are sent empty; API-only, consent, match data and completion are missing',
  'go.5': 'the test of signatures has a timestamp from 2021 and cannot pass',

  'python.1': 'the HTTP status of an error is lost',
  'python.2': 'an error page ends in a JSON error; no time limit; a connection for each call',
  'python.3': 'options of a hosted transaction are sent unchecked',
  'python.4': 'a body beyond ASCII cannot be verified; a malformed header is an IndexError',
  'python.5': 'an override returns nothing, although the example prints its result',

  'ruby.1':
    'an error has only the status; TLS always; a connection for each call; fixed time limits',
  'ruby.2': "a creation changes the caller's options",
  'ruby.3': 'a property of the tokens that is never set',

  'php.1': 'tokens are sent with the scheme Token',
  'php.2': 'empty hosted options are sent as a list',
  'php.3': 'no time limit; failures without a reason; a leaked handle; an empty payload is lost',
  'php.4': 'signatures that look like numbers are compared as numbers',
  'php.5': 'an update discards its result',

  'java.1': 'a signature is accepted for more than eight hours',
  'java.2': 'all characters beyond ASCII count as the same in a signature',
  'java.3': 'the details of issues are shared by all results, and empty',
  'java.4': 'an upload uses a client token unchecked, and never refreshes it',
  'java.5': '204 leaks; other 2xx fail; no status; fixed time limit; close() does nothing',
  'java.6':
    'tokens without an access token count as valid; no ID scan; one spelling of the passport',

  'dotnet.1': 'the second call fails; all failures have one class; no grant_type',
} as const;

/** The id of a defect. */
export type Row = keyof typeof SDK_DEFECTS;

/** The proofs for the rows of a group; a missing one does not compile. */
export type Proofs<Group extends string> = Record<
  Extract<Row, `${Group}${number}`>,
  () => Promise<void>
>;
