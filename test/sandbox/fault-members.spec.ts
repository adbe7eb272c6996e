import { describe, expect, it } from '@jest/globals';
import {
  type ApiJson,
  SandboxClock,
  type SandboxFault,
  SandboxFaults,
} from 'nestjs-berbix/sandbox';
import { installClock } from '../support/services.js';

describe('sandbox.faults.add', () => {
  it.each([
    { kind: 'latency', ms: 0 },
    { kind: 'latency', ms: 2 ** 31 - 1 },
    { kind: 'trickle', ms: 0 },
    { kind: 'flood', bytes: 0 },
    { kind: 'status', status: 400, retryAfter: 0 },
    { kind: 'status', status: 599, retryAfter: 'Wed, 21 Oct 2026 07:28:00 GMT' },
    { kind: 'status', status: 503, retryAfter: '2' },
    { kind: 'status', status: 503, retryAfter: Number.MAX_SAFE_INTEGER },
    { kind: 'html', status: 400 },
    { kind: 'html', status: 599 },
    { kind: 'answer', body: nested(100), status: 200 },
    { kind: 'answer', body: null, status: 599, headers: { 'x-a': 'b' } },
    { kind: 'hang', times: 1, processed: false },
    { kind: 'hang', times: Infinity, method: 'GET', path: '/' },
    { kind: 'hang', probability: 1, seed: 0, times: 1 },
    { kind: 'hang', probability: 0.001, seed: 2 ** 32 - 1, times: 1 },
    { kind: 'hang', forMs: 1, times: 1 },
    { kind: 'hang', forMs: 365 * 86_400_000, times: 1 },
    { kind: 'reset', processed: undefined, forMs: undefined },
  ])('accepts %j', (fault) => {
    const faults = new SandboxFaults(new SandboxClock());
    const id = faults.add(fault as SandboxFault);
    expect(faults.pending).toMatchObject([{ ...fault, id }]);
  });

  it.each([
    [undefined, /kind of a fault must be one of latency, reset, hang/],
    [{ kind: 'explode' }, /kind of a fault/],
    [{ kind: 'toString' }, /kind of a fault/],
    [{ kind: 'latency' }, /A fault of the kind latency needs "ms"/],
    [
      { kind: 'latency', ms: -1 },
      /"ms" of a fault of the kind latency must be a whole number from 0/,
    ],
    [{ kind: 'latency', ms: 2 ** 31 }, /"ms" of a fault of the kind latency/],
    [{ kind: 'latency', ms: 1, processed: true }, /"processed" .* is not a member it can have/],
    [
      { kind: 'answer', body: nested(101) },
      /"body" of a fault of the kind answer must not be nested/,
    ],
    [{ kind: 'answer', body: '', headers: 5 }, /"headers" of a fault of the kind answer must be/],
    [{ kind: 'flood', bytes: '5' }, /"bytes" of a fault of the kind flood/],
    [{ kind: 'status' }, /needs "status"/],
    [{ kind: 'status', status: undefined }, /needs "status"/],
    [{ kind: 'status', status: 200 }, /"status" .* from 400 to 599/],
    [{ kind: 'status', status: 500, retryAfter: 'a\r\nb' }, /"retryAfter"/],
    [{ kind: 'status', status: 500, retryAfter: -1 }, /"retryAfter"/],
    [
      { kind: 'status', status: 500, retryAfter: 'Wedé' },
      /"retryAfter" .* must be a whole number of seconds or an HTTP date, such as Wed, 21 Oct 2026/,
    ],
    [{ kind: 'status', status: 500, retryAfter: '' }, /"retryAfter"/],
    [{ kind: 'status', status: 500, retryAfter: 'Invalid Date' }, /"retryAfter"/],
    [{ kind: 'status', status: 500, retryAfter: 'soon 1' }, /"retryAfter"/],
    [{ kind: 'status', status: 500, retryAfter: Infinity }, /"retryAfter"/],
    [{ kind: 'status', status: 500, retryAfter: 1e30 }, /"retryAfter"/],
    [{ kind: 'status', status: 500, retryAfter: 1.5 }, /"retryAfter"/],
    [{ kind: 'html', status: 99 }, /"status"/],
    [{ kind: 'answer' }, /needs "body"/],
    [{ kind: 'answer', body: undefined }, /needs "body"/],
    [{ kind: 'answer', body: 1, status: 199 }, /"status" .* from 200 to 599/],
    [{ kind: 'answer', body: 1, headers: { 'a b': 'x' } }, /"headers"/],
    [{ kind: 'answer', body: 1, headers: { a: 1 } }, /"headers"/],
    [
      { kind: 'answer', body: 1, headers: { Trailer: 'x' } },
      /"headers" .* must not have Trailer: the sandbox sets connection, content-length, trailer and transfer-encoding/,
    ],
    [{ kind: 'answer', body: 1, headers: { 'transfer-encoding': 'gzip' } }, /transfer-encoding/],
    [{ kind: 'answer', body: 1, headers: { connection: 'upgrade' } }, /must not have connection/],
    [{ kind: 'answer', body: 1, headers: { 'Content-Length': '9' } }, /must not have Content-Len/],
    [{ kind: 'hang', processed: 'yes' }, /"processed" .* true or false/],
    [{ kind: 'hang', times: 0 }, /"times"/],
    [{ kind: 'hang', method: 'post' }, /"method" .* capitals/],
    [{ kind: 'hang', path: 'v0/tokens' }, /"path" .* slash/],
    [{ kind: 'hang', probability: 0 }, /"probability" .* above 0, up to 1/],
    [{ kind: 'hang', probability: 1.1 }, /"probability"/],
    [{ kind: 'hang', probability: '1' }, /"probability"/],
    [{ kind: 'hang', probability: 1, seed: 1.5 }, /"seed" .* whole number/],
    [{ kind: 'hang', seed: 0 }, /"seed" of a fault needs "probability"/],
    [{ kind: 'hang', probability: 1, seed: 2 ** 32 }, /"seed" .* from 0 to 4294967295/],
    [{ kind: 'hang', forMs: 0 }, /"forMs"/],
    [{ kind: 'hang', forMs: 365 * 86_400_000 + 1 }, /"forMs" .* from 1 to 31536000000/],
    [{ kind: 'answer', body: 1, headers: { a: 'x\r\ny' } }, /"headers"/],
    [{ kind: 'hang', toString: 1 }, /"toString" .* is not a member/],
  ])('refuses %j', (fault, message) => {
    const faults = new SandboxFaults(new SandboxClock());
    expect(() => faults.add(fault as unknown as SandboxFault)).toThrow(message);
    expect(faults.pending).toEqual([]);
  });

  it('keeps a fault as it was, whatever a test does with its parts later', () => {
    const faults = new SandboxFaults(new SandboxClock());
    const body: Record<string, unknown> = { amount: 2n ** 63n };
    const headers: Record<string, string> = { 'x-a': 'b' };
    faults.add({ kind: 'answer', body: body as ApiJson, headers });
    body.itself = body;
    headers.trailer = 'x';
    const kept = { body: { amount: 2n ** 63n }, headers: { 'x-a': 'b' } };
    expect(faults.pending).toEqual([expect.objectContaining(kept)]);
  });

  it('takes another one if some of as many as possible have ended', () => {
    const clock = installClock();
    const faults = new SandboxFaults(new SandboxClock());
    for (let index = 0; index < 1000; index += 1) faults.add({ kind: 'hang', forMs: 1000 });
    clock.advance(1000);
    faults.add({ kind: 'reset' });
    expect(faults.pending).toMatchObject([{ kind: 'reset' }]);
  });
});

/** Lists in lists. */
function nested(depth: number): unknown {
  return depth === 0 ? '' : [nested(depth - 1)];
}
