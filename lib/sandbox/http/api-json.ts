import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { map, type Observable } from 'rxjs';

/** JSON with integers of any size. */
export type ApiJson =
  | string
  | number
  | boolean
  | bigint
  | null
  | undefined
  | readonly ApiJson[]
  | { readonly [name: string]: ApiJson };

/** Content type of every answer of the API. */
export const JSON_CONTENT_TYPE = 'application/json; charset=utf-8';

/**
 * Like `JSON.stringify`, which refuses a bigint: it becomes an integer with all of its digits. A
 * number above 2^53 would have lost some already. [sdk: go int64]
 */
export function toApiJson(value: ApiJson): string {
  if (typeof value === 'bigint') return value.toString();
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (isList(value)) return `[${value.map(toApiJson).join(',')}]`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) => `${JSON.stringify(name)}:${toApiJson(member)}`);
  return `{${members.join(',')}}`;
}

/** `Array.isArray` does not narrow a readonly array. */
function isList(value: object): value is readonly ApiJson[] {
  return Array.isArray(value);
}

/** Writes the result of a handler as JSON; `undefined` is an empty body. */
@Injectable()
export class ApiJsonInterceptor implements NestInterceptor<ApiJson, string | undefined> {
  constructor(@Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost) {}

  intercept(context: ExecutionContext, next: CallHandler<ApiJson>): Observable<string | undefined> {
    return next.handle().pipe(
      map((answer) => {
        if (answer === undefined) return undefined;
        const response = context.switchToHttp().getResponse<unknown>();
        this.adapterHost.httpAdapter.setHeader(response, 'Content-Type', JSON_CONTENT_TYPE);
        return toApiJson(answer);
      }),
    );
  }
}
