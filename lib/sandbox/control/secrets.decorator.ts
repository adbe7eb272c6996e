import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { ApiJson } from '../api-json.js';
import { withoutSecrets } from './without-secrets.js';

/** What makes the answer that goes out. */
export type Shown = (answer: ApiJson) => ApiJson;

/** Leaves secrets out of the answer, unless the request asks for them with `?secrets=1`. */
export const Secrets = createParamDecorator((_: unknown, context: ExecutionContext): Shown => {
  const { query } = context.switchToHttp().getRequest<{ query: { secrets?: unknown } }>();
  return query.secrets === '1' ? (answer) => answer : withoutSecrets;
});
