import { versionOf } from '../support/environment.js';

/** What is measured, in the order of the report. */
export const CONTESTANTS = ['undici', 'sdk', 'http-service', 'token-service'] as const;

/** One of what is measured; the name of its module in `subjects/`, too. */
export type Contestant = (typeof CONTESTANTS)[number];

/** The one that is ours; the others are what it is compared with. */
export const OURS = 'token-service' satisfies Contestant;

/** The others. */
export type Rival = Exclude<Contestant, typeof OURS>;

/** In the order of the report. */
export const RIVALS = CONTESTANTS.filter((name): name is Rival => name !== OURS);

/** In words. */
export const TITLES: Record<Contestant, string> = {
  undici: `undici ${versionOf('undici')}, request() of a Pool`,
  sdk: `official SDK ${versionOf('berbix')}, client.refreshTokens()`,
  'http-service': `HttpService.post() of @nestjs/axios ${versionOf('@nestjs/axios')}`,
  [OURS]: 'BerbixTokenService.refresh()',
};

/** How many callers the goals are for. */
export const GOAL_CALLERS = 32;

/** Our CPU time at most, as a multiple of the rival's. */
export const GOALS: Record<Rival, number> = { undici: 1.7, sdk: 0.75, 'http-service': 0.3 };
