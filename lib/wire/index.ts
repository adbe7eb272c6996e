/*
 * The contract of the API: its paths, bodies and vocabularies, as far as public sources document
 * them. A tag after a statement, here and in the sandbox, names the source:
 *
 * - `[doc: X]`: page X of Berbix's documentation, https://docs.berbix.com/X.
 * - `[sdk: R]`: an official SDK or example, https://github.com/berbix/berbix-R; `all` are the six
 *   for Node, Go, Java, Python, Ruby and PHP. A file, function or release of it may follow.
 *   `go@experimental` is a branch of the Go SDK that was never released.
 * - `[3p: R]`: a third-party program. `mintyfusion` is
 *   https://github.com/mintyfusion/berbix-dotnet-sdk, `paays` is
 *   https://github.com/dev-script/paays-berbix; `idx N` is entry N of a code search that names no
 *   repository; `observed` was seen in use.
 * - `[RFC N]`, `[CSP3]`: a standard.
 *
 * `ASSUMPTION` marks what no source says, and what client and sandbox share:
 * `grep -rn ASSUMPTION lib`.
 */
export * from './api.js';
export * from './errors.js';
export * from './frame.js';
export * from './json.js';
export * from './tokens.js';
export * from './transactions.js';
export * from './uploads.js';
export * from './webhooks.js';
export * from './wire-reader.js';
