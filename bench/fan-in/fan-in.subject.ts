import { firstValueFrom } from 'rxjs';
import type { OpenSubject } from '../support/subject.js';
import { openTokenService } from '../support/token-service.js';

/** So many callers at once for one refresh token, so many times over. */
export interface FanInTask {
  callers: number;
  times: number;
}

/** All callers must get the tokens of one exchange, the one for their refresh token. */
export const open: OpenSubject<FanInTask> = async (apiUrl) => {
  const service = await openTokenService(apiUrl);
  let next = 0;
  return async ({ callers, times }) => {
    for (let time = 0; time < times; time++) {
      const refreshToken = `rt_${'x'.repeat(32)}_${next++}`;
      const answers = await Promise.all(
        Array.from({ length: callers }, () => firstValueFrom(service.refresh(refreshToken))),
      );
      const accessToken = answers[0]?.accessToken;
      if (!accessToken?.endsWith(refreshToken))
        throw new Error('An exchange gave no access token.');
      if (answers.some((tokens) => tokens.accessToken !== accessToken)) {
        throw new Error('Callers of one exchange got different tokens.');
      }
    }
  };
};
