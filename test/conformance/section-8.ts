/**
 * What the official SDKs get wrong, row by row, as the record of the API lists it in its section 8:
 * first what all of them have in common, then each SDK. In `defects/` each row has a proof that this
 * package does not have the defect.
 */
export const SECTION_8 = {
  C1: 'the refresh token is lost in a refresh: absent it becomes undefined, replaced it is forgotten',
  C2: 'as many exchanges as callers who ask at once',
  C3: 'an access token is used up to its last instant, and may end on the way',
  C4: 'a 401 is final: no refresh, no second try',
  C5: 'nothing is repeated after a broken connection, a 429 or a 5xx',
  C6: 'signatures are compared with ==, of any version, from the future, in any number of parts',
  C7: 'errors have no type, and the status or the body is lost',
  C8: 'storage of the refresh token is left to the caller altogether',
  C9: 'hosted URL, first step and expiry are no properties of the result',
  C10: 'tokens show their secrets when printed or turned into JSON',

  'node.1': 'a connection that cannot be made ends the whole process',
  'node.2': 'no time limit by default; with one, the socket and the timer stay',
  'node.3': 'https alone, no path, no proxy, any size of answer, characters cut in two',
  'node.4': 'an answer without JSON loses its body, and a 200 without one fails',
  'node.5': 'what is thrown is no Error',
  'node.6': 'a 409 without JSON becomes a TypeError',
  'node.7': 'a hosted transaction without options silently is none',
  'node.8': 'neither the secret nor arguments are checked; unknown names are ignored',
  'node.9': 'a missing or short signature header is a TypeError; a wrong timestamp passes',
  'node.10': 'no types, and a README that describes other methods',

  'go.1': 'every refusal and every answer that cannot be read is reported as success',
  'go.2': 'the refreshed tokens never reach the caller, so each call refreshes again',
  'go.3': 'no options is a panic; no time limit and no way to cancel',
  'go.4': 'unset fields are sent empty; API-only, consent, match data and completion are missing',
  'go.5': 'the test of signatures has a timestamp of 2021 and cannot pass',

  'python.1': 'the HTTP status of a refusal is lost',
  'python.2': 'an error page ends in a JSON error; no time limit; a connection for each call',
  'python.3': 'what is given for a hosted transaction is sent unchecked',
  'python.4': 'a body beyond ASCII cannot be verified; a malformed header is an IndexError',
  'python.5': 'an override gives nothing back, although the example prints it',

  'ruby.1': 'an error has the status alone; TLS always; a connection for each call; fixed times',
  'ruby.2': "a creation changes the caller's options",
  'ruby.3': 'a property of the tokens that is never set',

  'php.1': 'tokens are sent with the scheme Token',
  'php.2': 'empty hosted options are sent as a list',
  'php.3':
    'no time limit; a failure without its reason; a handle that stays; an empty payload is lost',
  'php.4': 'signatures are compared as numbers if they look like some',
  'php.5': 'an update throws its result away',

  'java.1': 'a signature is accepted for more than eight hours',
  'java.2': 'characters beyond ASCII all count as the same in a signature',
  'java.3': 'details of an issue are shared by all results, and empty',
  'java.4': 'an upload takes a client token as it is, and never refreshes it',
  'java.5': '204 leaks; other 2xx fail; no status; fixed time limit; close() does nothing',
  'java.6':
    'tokens without an access token count as good; no ID scan; one spelling of the passport',

  'dotnet.1': 'the second call fails; every failure is of one class; no grant_type',
} as const;

/** A row of section 8. */
export type Row = keyof typeof SECTION_8;

/** The proofs for the rows whose ids begin so; one that is missing does not compile. */
export type Proofs<Group extends string> = Record<
  Extract<Row, `${Group}${number}`>,
  () => Promise<void>
>;
