import { firstValueFrom } from 'rxjs';
import { measureTurn } from './harness/measure.js';
import { answer } from './harness/peer.js';
import { openTokenService } from './harness/stored-tokens.js';

/** Concurrent callers of one refresh token, again and again for about `ms` milliseconds. */
export interface FanInTask {
  callers: number;
  ms: number;
}

const service = await openTokenService(process.argv[2] as string);
let next = 0;

/** All callers must get the tokens of one exchange, the one for their refresh token. */
async function exchangeOnce(callers: number): Promise<void> {
  const refreshToken = `rt_${'x'.repeat(32)}_${next++}`;
  const answers = await Promise.all(
    Array.from({ length: callers }, () => firstValueFrom(service.refresh(refreshToken))),
  );
  const accessToken = answers[0]?.accessToken;
  if (!accessToken?.endsWith(refreshToken)) throw new Error('An exchange gave no access token.');
  if (answers.some((tokens) => tokens.accessToken !== accessToken)) {
    throw new Error('Callers of one exchange got different tokens.');
  }
}

answer(({ callers, ms }: FanInTask) =>
  measureTurn(async () => {
    const first = next;
    const end = performance.now() + ms;
    do await exchangeOnce(callers);
    while (performance.now() < end);
    return next - first;
  }),
);
