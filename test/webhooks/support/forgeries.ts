import type { BerbixWebhookRequest } from '../../../lib/webhooks/index.js';

/** Changes the header or the body at a random place in a random way. */
export function mutate(good: BerbixWebhookRequest, random: () => number): BerbixWebhookRequest {
  const header = good.header as string;
  const body = good.rawBody as Buffer;
  for (;;) {
    const target = random() < 0.5 ? 'header' : 'body';
    if (target === 'header') {
      const forged = mutateBytes(Buffer.from(header, 'latin1'), random).toString('latin1');
      if (forged !== header) return { ...good, header: forged };
    } else {
      const forged = mutateBytes(body, random);
      if (!forged.equals(body)) return { ...good, rawBody: forged };
    }
  }
}

function mutateBytes(bytes: Buffer, random: () => number): Buffer {
  const at = Math.floor(random() * bytes.length);
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at + 1)];
  const byte = bytes.subarray(at, at + 1);
  const likely = Buffer.from('0123456789abcdefABCDEFv, \n{}":+-.e');
  switch (Math.floor(random() * 6)) {
    case 0:
      return Buffer.concat([before, Buffer.from([Math.floor(random() * 256)]), after]);
    case 1:
      return Buffer.concat([before, after]);
    case 2:
      return Buffer.concat([
        before,
        likely.subarray(Math.floor(random() * likely.length)).subarray(0, 1),
        byte,
        after,
      ]);
    case 3:
      return Buffer.concat([
        before,
        Buffer.from([(byte[0] as number) ^ (1 << Math.floor(random() * 8))]),
        after,
      ]);
    case 4:
      return Buffer.concat([after, byte, before]);
    default:
      return bytes.subarray(0, at);
  }
}

/** The same numbers in every run. */
export function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
