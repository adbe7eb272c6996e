/** Test and live are told apart by the API secret, not by the host. [doc: docs/settings] */
export type SandboxMode = 'test' | 'live';
