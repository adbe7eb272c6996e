/*
 * The contract of the API: its paths, its shapes and its words, as far as public sources tell. A tag
 * behind a statement, here and in the sandbox, says which:
 *
 * - `[doc: X]`: page X of Berbix's documentation, https://docs.berbix.com/X.
 * - `[sdk: R]`: an official SDK or example, https://github.com/berbix/berbix-R; `all` are the six for
 *   Node, Go, Java, Python, Ruby and PHP. What follows is a file, a function or a release in it.
 *   `go@experimental` is a branch of the Go SDK that was never released.
 * - `[3p: R]`: what somebody else's program does. `mintyfusion` is
 *   https://github.com/mintyfusion/berbix-dotnet-sdk, `paays` is
 *   https://github.com/dev-script/paays-berbix; `idx N` is entry N of a code search that names no
 *   repository, `observed` was seen in use.
 * - `[RFC N]`, `[CSP3]`: a standard.
 *
 * `ASSUMPTION` is what no source tells, and client and sandbox share: `grep -rn ASSUMPTION lib`.
 */
export * from './api.js';
export * from './errors.js';
export * from './tokens.js';
export * from './transactions.js';
export * from './uploads.js';
export * from './webhooks.js';
