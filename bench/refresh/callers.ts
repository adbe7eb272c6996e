import type { Subject } from '../support/subject.js';

/** So many exchanges, made by so many callers at once. */
export interface ExchangeTask {
  callers: number;
  exchanges: number;
}

/** One exchange. @returns the access token */
export type Exchange = (refreshToken: string) => Promise<string | undefined>;

/** Makes a subject of one exchange: a new refresh token each time, and each answer is looked at. */
export function callers(exchange: Exchange): Subject<ExchangeTask> {
  let next = 0;
  return async ({ callers: count, exchanges }) => {
    const end = next + exchanges;
    const caller = async (): Promise<void> => {
      while (next < end) {
        const refreshToken = `rt_${'x'.repeat(32)}_${next++}`;
        const accessToken = await exchange(refreshToken);
        if (!accessToken?.endsWith(refreshToken)) {
          throw new Error('An exchange gave no access token, or that of another refresh token.');
        }
      }
    };
    await Promise.all(Array.from({ length: count }, caller));
  };
}
