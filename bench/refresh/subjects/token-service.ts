import { firstValueFrom } from 'rxjs';
import type { OpenSubject } from '../../support/subject.js';
import { openTokenService } from '../../support/token-service.js';
import { callers, type ExchangeTask } from '../callers.js';

/** This package: the answer is checked, concurrent callers are merged, deadlines are kept. */
export const open: OpenSubject<ExchangeTask> = async (apiUrl) => {
  const service = await openTokenService(apiUrl);
  return callers(async (refreshToken) => {
    const { accessToken } = await firstValueFrom(service.refresh(refreshToken));
    return accessToken;
  });
};
