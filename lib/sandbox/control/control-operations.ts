/** A request that the sandbox itself takes, and what it does. */
export interface ControlOperation {
  readonly request: string;
  readonly does: string;
}

/** The control API below `/sandbox`, for people who use curl. */
export const CONTROL_OPERATIONS: readonly ControlOperation[] = [
  { request: 'GET /sandbox/requests', does: 'lists the requests so far, oldest first' },
  { request: 'DELETE /sandbox/requests', does: 'clears that list' },
  { request: 'GET /sandbox/faults', does: 'lists the pending faults' },
  { request: 'POST /sandbox/faults', does: 'adds one: {"kind":"status","status":503}' },
  { request: 'DELETE /sandbox/faults', does: 'clears them' },
  { request: 'GET /sandbox/clock', does: 'shows the time of the sandbox' },
  {
    request: 'POST /sandbox/clock',
    does: 'moves it: {"advance_ms":3600000}, or sets it: {"now":"2030-01-01T00:00:00Z"}',
  },
  { request: 'GET /sandbox/webhooks', does: 'shows the URL of each webhook' },
  {
    request: 'PUT /sandbox/webhooks',
    does: 'sets them: {"finished":"http://localhost:3000/hook","status":null}',
  },
  { request: 'POST /sandbox/webhooks/test', does: 'sends a sample: {"kind":"finished"}' },
  {
    request: 'GET /sandbox/webhooks/deliveries',
    does: 'lists the deliveries so far, oldest first',
  },
  { request: 'DELETE /sandbox/webhooks/deliveries', does: 'clears that list' },
  {
    request: 'POST /sandbox/webhooks/faults',
    does: 'spoils the next webhook: {"fault":"late","kind":"status"}',
  },
  { request: 'DELETE /sandbox/webhooks/faults', does: 'clears the pending webhook faults' },
];
